import { Inject, Injectable } from '@nestjs/common';
import { BROKER, type Broker, type BrokerListener, type ChannelName, type Publication } from '../cluster/broker.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { LocalChannel, type LocalChannelOptions } from './local-channel.js';

export type LocalChannelSetup = Pick<LocalChannelOptions, 'name' | 'render' | 'delivery' | 'hasHistory'>;

/** How long a channel without subscribers on this node stays subscribed at the broker: reconnects come in waves. */
const LINGER_MS = 5_000;

/** The channels that have subscribers on this node. */
@Injectable()
export class ChannelHub implements BrokerListener {
  private readonly local = new Map<ChannelName, LocalChannel>();
  private readonly ofSession = new Map<Session, Set<LocalChannel>>();

  constructor(
    @Inject(BROKER) private readonly broker: Broker,
    private readonly events: SessionEvents,
  ) {
    broker.listen(this);
  }

  /** How many channels have subscribers here. */
  get size(): number {
    return this.local.size;
  }

  /** Resolves once publications of the channel arrive at this node. */
  async obtain(setup: LocalChannelSetup): Promise<LocalChannel> {
    const channel = this.local.get(setup.name) ?? this.create(setup);
    channel.wantedAt = performance.now();
    await channel.ready;
    return channel;
  }

  get(name: ChannelName): LocalChannel | undefined {
    return this.local.get(name);
  }

  isSubscribed(session: Session, name: ChannelName): boolean {
    return this.local.get(name)?.subscriptions.has(session) ?? false;
  }

  channelsOf(session: Session): readonly LocalChannel[] {
    return [...(this.ofSession.get(session) ?? [])];
  }

  countOf(session: Session): number {
    return this.ofSession.get(session)?.size ?? 0;
  }

  /** Notes that a session is in a channel, so that it is taken out when it closes. */
  note(session: Session, channel: LocalChannel): void {
    const channels = this.ofSession.get(session) ?? new Set();
    this.ofSession.set(session, channels);
    channels.add(channel);
  }

  /** False where the session was not subscribed. */
  remove(session: Session, channel: LocalChannel): boolean {
    const channels = this.ofSession.get(session);
    channels?.delete(channel);
    if (channels?.size === 0) this.ofSession.delete(session);
    const wasSubscribed = channel.subscriptions.delete(session);
    this.forgetUnused(channel);
    return wasSubscribed;
  }

  published(name: ChannelName, publication: Publication, epoch: string): void {
    this.local.get(name)?.receive(publication, epoch);
  }

  interrupted(): void {
    for (const channel of this.local.values()) void channel.check();
  }

  private create(setup: LocalChannelSetup): LocalChannel {
    const channel = new LocalChannel({ ...setup, broker: this.broker, events: this.events });
    this.local.set(setup.name, channel);
    channel.ready.catch(() => this.local.delete(setup.name));
    return channel;
  }

  /** The session has closed. */
  removeAll(session: Session): void {
    for (const channel of this.channelsOf(session)) this.remove(session, channel);
  }

  /** Leaves the channel at the broker, once nobody here has wanted it for a while. */
  private forgetUnused(channel: LocalChannel): void {
    if (channel.subscriptions.size > 0) return;
    setTimeout(() => {
      const isWanted = channel.subscriptions.size > 0 || performance.now() - channel.wantedAt < LINGER_MS;
      if (isWanted || this.local.get(channel.name) !== channel) return;
      this.local.delete(channel.name);
      this.broker.unsubscribe(channel.name);
    }, LINGER_MS).unref();
  }
}
