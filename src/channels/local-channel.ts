import type { Broker, ChannelName, Position, Publication } from '../cluster/broker.js';
import type { DeliveryPolicy } from '../../config/namespaces.js';
import type { OutboundMessage } from '../protocol/envelope.js';
import { Multicast } from '../sessions/multicast.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import type { Shedding } from '../socket/held-frames.js';
import { Subscription } from './subscription.js';

/** How a publication is shown to clients. */
export type Rendering = (publication: Publication, epoch: string) => OutboundMessage;

export interface LocalChannelOptions {
  readonly name: ChannelName;
  readonly broker: Broker;
  readonly events: SessionEvents;
  readonly render: Rendering;
  readonly delivery: DeliveryPolicy;
  readonly hasHistory: boolean;
}

/** Publications that may wait for a repair; beyond it the gap is announced. */
const MAX_BEHIND_REPAIR = 10_000;

/**
 * The subscribers that one node has in one channel, and how far they have been served. A publication that does not
 * follow the one before is held until the history has filled the gap, or the gap has been announced.
 */
export class LocalChannel {
  /** Resolves once publications arrive and the position is known. */
  readonly ready: Promise<void>;
  readonly subscriptions = new Map<Session, Subscription>();
  /** When a subscriber last asked for it, on the performance.now() clock. */
  wantedAt = 0;
  private position: Position | undefined;
  private behindRepair: { readonly publication: Publication; readonly epoch: string }[] | undefined = [];

  constructor(private readonly options: LocalChannelOptions) {
    this.ready = this.open();
  }

  get name(): ChannelName {
    return this.options.name;
  }

  /** Adds a subscriber, held back until its recovery is done. */
  add(session: Session): Subscription {
    const subscription = this.subscriptions.get(session) ?? new Subscription(session);
    subscription.recover();
    this.subscriptions.set(session, subscription);
    return subscription;
  }

  /** A publication arrives from the broker. */
  receive(publication: Publication, epoch: string): void {
    if (publication.seq === 0) return this.deliver(publication, epoch);
    if (this.behindRepair !== undefined) {
      if (this.behindRepair.length < MAX_BEHIND_REPAIR) this.behindRepair.push({ publication, epoch });
      return;
    }
    const { position } = this;
    if (position?.epoch === epoch && publication.seq <= position.seq) return;
    const isNext = position?.epoch === epoch ? publication.seq === position.seq + 1 : publication.seq === 1;
    if (!isNext || position?.epoch !== epoch) {
      this.behindRepair = [{ publication, epoch }];
      void this.repair();
      return;
    }
    this.position = { epoch, seq: publication.seq };
    this.deliver(publication, epoch);
  }

  /** The recovery of a subscriber is done up to `seq`: what came meanwhile follows, then it is live. */
  goLive(subscription: Subscription, seq: number, epoch: string): void {
    for (const publication of subscription.goLive(seq)) {
      const multicast = this.multicast(publication, epoch);
      multicast.deliverTo(subscription.session);
      multicast.report(this.options.events);
    }
  }

  /** Publications may have been missed: compares with the history, and brings or announces what is missing. */
  async check(): Promise<void> {
    if (!this.options.hasHistory || this.behindRepair !== undefined) return;
    this.behindRepair = [];
    await this.repair();
  }

  private async open(): Promise<void> {
    const { broker, name, hasHistory } = this.options;
    await broker.subscribe(name);
    if (hasHistory) this.position = (await broker.history(name, { limit: 0 })).top;
    this.release();
  }

  /** Fills the gap between the position and the top of the history. */
  private async repair(): Promise<void> {
    const { broker, name } = this.options;
    try {
      const { top, publications } = await broker.history(name, { afterSeq: this.position?.seq ?? 0 });
      const isSameEpoch = top.epoch === this.position?.epoch;
      const missed = isSameEpoch ? publications : (await broker.history(name, {})).publications;
      this.bring(missed, top, isSameEpoch ? (this.position?.seq ?? 0) : undefined);
    } catch {
      // The broker is away. Nothing is delivered out of order meanwhile; its return calls check().
      return;
    }
    this.release();
  }

  /** @param servedUpTo undefined where an epoch ended, and nobody can say what was in it */
  private bring(missed: readonly Publication[], top: Position, servedUpTo: number | undefined): void {
    const first = missed[0]?.seq ?? top.seq + 1;
    if (servedUpTo === undefined) this.announceGap(null, first - 1, top.epoch);
    else if (first > servedUpTo + 1) this.announceGap(servedUpTo + 1, first - 1, top.epoch);
    for (const publication of missed) this.deliver(publication, top.epoch);
    this.position = top;
  }

  private release(): void {
    const behind = this.behindRepair ?? [];
    this.behindRepair = undefined;
    for (const { publication, epoch } of behind) this.receive(publication, epoch);
  }

  private announceGap(from: number | null, to: number, epoch: string): void {
    this.sendToLive(new Multicast({ type: 'gap', channel: this.name, epoch, data: { from, to } }));
  }

  private deliver(publication: Publication, epoch: string): void {
    if (publication.expiresAt !== undefined && publication.expiresAt <= Date.now()) {
      this.options.events.emit('shed', 'expired', this.subscriptions.size);
      return;
    }
    const multicast = this.multicast(publication, epoch);
    for (const subscription of this.subscriptions.values()) {
      if (subscription.session.id === publication.excludeSession) continue;
      if (subscription.isLive) multicast.deliverTo(subscription.session);
      else subscription.holdBack(publication);
    }
    multicast.report(this.options.events);
  }

  private sendToLive(multicast: Multicast): void {
    for (const { session, isLive } of this.subscriptions.values()) if (isLive) multicast.deliverTo(session);
    multicast.report(this.options.events);
  }

  private multicast(publication: Publication, epoch: string): Multicast {
    const { delivery, render, name } = this.options;
    const { expiresAt } = publication;
    const shedding: Shedding | undefined =
      delivery === 'disconnect' ? undefined : { policy: delivery, key: name, expiresAt };
    return new Multicast(render(publication, epoch), shedding);
  }
}
