import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { Settings } from '../../../config/settings.js';
import { NodeBus, sumOf } from '../../cluster/ports/node-bus.js';
import { SessionIndex } from '../../sessions/session-index.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';
import type { AccessSettings } from '../access-settings.js';
import { clientAddress } from './address-key.js';
import { Bans } from '../lists/bans.js';
import { ExemptAddresses } from './exempt-addresses.js';

/**
 * How long connections have to answer a ping. Later answers do not count, because a missing ban is the smaller mistake.
 */
const PATIENCE_MS = 1_500;
const POLL_MS = 25;
/**
 * Counts rounds and not time: after a stall of the process, the answers that have arrived are read before the next
 * round.
 */
const MAX_LOOKS = PATIENCE_MS / POLL_MS;
/** Other nodes wait as long for their connections, and their answers need time to travel. */
export const PROOF_MS = PATIENCE_MS + 1_500;
/** Addresses that are checked at one time. Beyond it an address is refused but not banned. */
export const MAX_CHECKS = 100;
/** A connection this young has just shown that it is alive. */
const YOUNG_MS = 10_000;

const KIND = 'prove-places';

/** Connections of an address that answered a ping, and open ones that did not. */
interface Proof {
  readonly proven: number;
  readonly silent: number;
}

/**
 * Decides whether an address over its connection limit is banned as well. Lost connections may still hold places: those
 * of a dead node until its lease ends, and those of clients without network until a heartbeat fails. Their clients
 * reconnect, are refused, and must not be banned. So every connection of the address is pinged, on all nodes, and the
 * address is banned only if the limit is reached by those that answer.
 */
@Injectable()
export class PlaceCheck {
  /** Number of addresses that were refused but not banned. */
  sparedCount = 0;
  private readonly checked = new Set<string>();
  /** Several nodes may ask about the same address. */
  private readonly proofs = new Map<string, Promise<Proof>>();
  /** Sessions of IPv6 clients by their /64. Those of IPv4 clients are found by address. */
  private readonly byPrefix = new SessionIndex();

  constructor(
    @Inject(Settings) private readonly settings: AccessSettings,
    private readonly bus: NodeBus,
    private readonly sessions: SessionRegistry,
    private readonly bans: Bans,
    readonly exempt: ExemptAddresses,
  ) {
    bus.handle(KIND, (payload) => (typeof payload === 'string' ? this.provenHere(payload) : 0));
    sessions.events.on('opened', (session) => this.index(session, 'add'));
    sessions.events.on('closed', (session) => this.index(session, 'remove'));
  }

  /** @param limitKey of the refused address: the address, or the /64 of an IPv6 address */
  suspect(limitKey: string): void {
    const { banDurationMs } = this.settings.connections;
    if (banDurationMs === 0 || this.checked.has(limitKey) || this.checked.size >= MAX_CHECKS) return;
    this.checked.add(limitKey);
    void this.check(limitKey).finally(() => this.checked.delete(limitKey));
  }

  private async check(limitKey: string): Promise<void> {
    const asked = this.bus.ask<number>(KIND, limitKey, { timeoutMs: PROOF_MS });
    const proven = (await this.provenHere(limitKey)) + sumOf(await asked);
    if (proven >= this.settings.connections.maxPerIp) return this.bans.breach(limitKey, 'too_many_from_address');
    this.sparedCount += 1;
    // An address that comes again at once is not worth another round of pings.
    await pause(PATIENCE_MS, undefined, { ref: false });
  }

  /** Number of connections of the address on this node that do not answer a ping. Their clients may come back. */
  async silentHere(limitKey: string): Promise<number> {
    return (await this.proofOf(limitKey)).silent;
  }

  /** Whether a check is worthwhile. */
  mayBeSilent(limitKey: string): boolean {
    const young = Date.now() - YOUNG_MS;
    return this.sessionsOf(limitKey).some(({ openedAt }) => openedAt <= young);
  }

  private async provenHere(limitKey: string): Promise<number> {
    return (await this.proofOf(limitKey)).proven;
  }

  private proofOf(limitKey: string): Promise<Proof> {
    const underWay = this.proofs.get(limitKey);
    if (underWay !== undefined) return underWay;
    const proof = this.prove(limitKey).finally(() => this.proofs.delete(limitKey));
    this.proofs.set(limitKey, proof);
    return proof;
  }

  /** Resolves when all connections have answered, or the time is over. */
  private async prove(limitKey: string): Promise<Proof> {
    const sessions = this.sessionsOf(limitKey);
    const marks = new Map(sessions.map((session) => [session, session.connection.ping()]));
    const isProven = (session: Session): boolean => {
      const mark = marks.get(session);
      // A connection opened meanwhile is alive.
      return mark === undefined || session.connection.hasSpokenSince(mark);
    };
    let open = sessions;
    for (let looks = 0; looks < MAX_LOOKS && !open.every(isProven); looks += 1) {
      await pause(POLL_MS, undefined, { ref: false });
      open = this.sessionsOf(limitKey);
    }
    const proven = open.filter(isProven).length;
    return { proven, silent: open.length - proven };
  }

  private sessionsOf(limitKey: string): readonly Session[] {
    const ofPrefix = this.byPrefix.get(limitKey);
    const found = ofPrefix.length > 0 ? ofPrefix : this.sessions.ofAddress(limitKey);
    return found.filter(({ address, connection }) => connection.isOpen && !this.exempt.has(address));
  }

  private index(session: Session, action: 'add' | 'remove'): void {
    const { address } = session;
    if (address.includes(':')) this.byPrefix[action](clientAddress(address).limitKey, session);
  }
}
