import type { History, Publication } from '../cluster/ports/broker.js';
import type { OutboundMessage } from '@gatehouse/protocol';
import type { Session } from '../sessions/session.js';
import { destinationOf } from './channel.js';
import type { Gap } from './recovery/gap.js';
import type { LocalChannelOptions, LocalChannelSetup } from './local-channel-setup.js';
import type { NamespaceCount } from './namespace-counts.js';
import { gapMessage, ChannelPush, type ChannelPushOptions } from './channel-push.js';
import { Subscription } from './subscription.js';
import { SubscriptionMap } from './subscription-map.js';

export type SubscribersOptions = Pick<LocalChannelOptions, 'setup' | 'surroundings' | 'count'>;

/** The subscribers of one node in one channel, and their pushes. It does not know the position of the channel. */
export class Subscribers {
  readonly subscriptions = new SubscriptionMap();
  protected readonly setup: LocalChannelSetup;
  private readonly surroundings: SubscribersOptions['surroundings'];
  private readonly count: NamespaceCount;

  constructor({ setup, surroundings, count }: SubscribersOptions) {
    this.setup = setup;
    this.surroundings = surroundings;
    this.count = count;
  }

  /** Adds a session, or adds it again. It is held back until `goLive`. */
  add(session: Session, formerSession?: string): Subscription {
    const subscription = this.subscriptions.get(session) ?? this.subscriptionOf(session);
    this.subscriptions.add(subscription);
    subscription.recover(formerSession);
    return subscription;
  }

  /** Returns false if the session was not there. */
  remove(session: Session): boolean {
    this.subscriptions.get(session)?.end();
    return this.subscriptions.delete(session);
  }

  /** The reply is on its way: pushes from meanwhile follow, then the session is live. */
  goLive(subscription: Subscription): void {
    const now = Date.now();
    for (const push of subscription.goLive()) {
      if (push.hasExpired(now)) this.drop(push, subscription);
      else subscription.offer(push);
      this.report(push);
    }
  }

  announce(gap: Gap, { top: { epoch }, continues }: Pick<History, 'top' | 'continues'>): void {
    if (this.subscriptions.size === 0) return;
    const message = gapMessage(this.setup.channel.name, epoch, gap);
    this.offer(this.noticeOf({ epoch, seq: gap.to, continues, gap, message }));
  }

  /** Instead of publications that are lost: everything as it is now. */
  bringSnapshot(
    message: OutboundMessage,
    { top: { epoch, seq }, continues }: Pick<History, 'top' | 'continues'>,
  ): void {
    if (this.subscriptions.size > 0) this.offer(this.noticeOf({ epoch, seq, continues, message, isSnapshot: true }));
  }

  deliver(publication: Publication, epoch: string, continues?: History['continues']): void {
    if (this.subscriptions.size === 0) return;
    const { traces } = this.surroundings;
    const { trace } = publication;
    if (traces === undefined || trace === undefined) this.bring(publication, epoch, continues);
    else
      traces.deliver(destinationOf(this.setup.channel), trace, (seen) =>
        this.bring({ ...publication, trace: seen }, epoch, continues),
      );
  }

  protected subscriptionOf(session: Session): Subscription {
    return new Subscription(session, this.setup.channel.name);
  }

  protected noticeOf(options: ChannelPushOptions): ChannelPush {
    return new ChannelPush(options);
  }

  /** Returns how many sessions took it. */
  private bring(publication: Publication, epoch: string, continues: History['continues']): number {
    const { delivery, render, name, subjectOf, channel } = this.setup;
    const { seq, expiresAt } = publication;
    const shedding = { policy: delivery, key: name, expiresAt, priority: channel.namespace.priority };
    const message = render(publication, epoch, channel);
    const subject = subjectOf?.(publication);
    const push = this.noticeOf({ epoch, seq, continues, publication, subject, shedding, message });
    if (!push.hasExpired(Date.now())) return this.offerOrLose(push);
    this.drop(push);
    return 0;
  }

  /**
   * Data that no codec can write was not published by a server like this one. It counts as lost for the subscribers.
   */
  private offerOrLose(push: ChannelPush): number {
    try {
      return this.offer(push);
    } catch {
      const { epoch, seq } = push;
      this.surroundings.events.emit('shed', 'unreadable', this.subscriptions.size);
      push.lost('unreadable');
      if (seq > 0) this.announce({ from: seq, to: seq }, { top: { epoch, seq }, continues: push.continues });
      return 0;
    }
  }

  /** It has expired, for one subscriber or for all. */
  private drop(push: ChannelPush, subscription?: Subscription): void {
    this.surroundings.events.emit('shed', 'expired', subscription === undefined ? this.subscriptions.size : 1);
    push.lost('expired', subscription?.session);
  }

  private offer(push: ChannelPush): number {
    for (const subscription of this.subscriptions.values()) subscription.offer(push);
    return this.report(push);
  }

  private report(push: ChannelPush): number {
    const { name, channel, cell } = this.setup;
    const taken = push.report(this.surroundings.events);
    // Companion channels are not counted.
    if (push.gap === undefined && (name === channel.name || cell !== undefined)) this.count.deliveries += taken;
    return taken;
  }
}
