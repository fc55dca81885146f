import { Inject, Injectable } from '@nestjs/common';
import type { Namespace } from '../../../config/namespaces.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { ChannelsSettings } from '../channels-settings.js';
import { Ledger } from './ledger.js';
import { Ring } from './ring.js';
import type { SubscriptionRecord } from './subscription-record.js';

/** Closed sessions that are remembered. */
const MAX_CLOSED_SESSIONS = 10_000;

export interface ClosedSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly openedAt: number;
  readonly closedAt: number;
  readonly code: number;
}

/**
 * The ledgers of the namespaces that have one, and the sessions that were open. Without any ledger nothing is recorded.
 */
@Injectable()
export class Ledgers {
  readonly startedAt = Date.now();
  readonly closedSessions: Ring<ClosedSession>;
  private readonly byNamespace = new Map<string, Ledger>();

  constructor(
    @Inject(ChannelsSettings) { namespaces }: Pick<ChannelsSettings, 'namespaces'>,
    private readonly events: SessionEvents,
  ) {
    for (const { name, ledger } of namespaces.values()) {
      if (ledger !== undefined) this.byNamespace.set(name, new Ledger(ledger));
    }
    const ageMs = Math.max(0, ...[...this.byNamespace.values()].map(({ limits }) => limits.ageMs));
    this.closedSessions = new Ring({ size: MAX_CLOSED_SESSIONS, ageMs }, ({ closedAt }) => closedAt);
    if (this.areKept) this.watch();
  }

  get areKept(): boolean {
    return this.byNamespace.size > 0;
  }

  /** Number of records, for metrics. */
  get size(): number {
    let size = this.closedSessions.size;
    for (const ledger of this.byNamespace.values()) size += ledger.size;
    return size;
  }

  /** Undefined if the namespace has no ledger. */
  of({ name }: Pick<Namespace, 'name'>): Ledger | undefined {
    return this.byNamespace.get(name);
  }

  /** All sessions that were open after this time, in milliseconds since 1970, are known. */
  get sessionsSince(): number {
    return Math.max(this.startedAt, this.closedSessions.completeSince);
  }

  private watch(): void {
    this.events.on('closed', ({ id, principal, openedAt }, code) => {
      if (principal.anonymous) return;
      const { userId } = principal;
      this.closedSessions.add({ sessionId: id, userId, openedAt, closedAt: Date.now(), code });
    });
    this.events.on('dropped', ({ id }, channel, lost) => {
      if (lost === 'channel') this.tookAway(id, channel);
    });
  }

  /** The subscription has ended by now. */
  private tookAway(sessionId: string, channel: string): void {
    const ledger = this.byNamespace.get(channel.slice(0, channel.indexOf(':')));
    const isIt = (record: SubscriptionRecord): boolean => record.sessionId === sessionId && record.channel === channel;
    const { departure } = ledger?.departures.filter(isIt)[0] ?? {};
    if (departure) departure.why = 'rights';
  }
}
