import type { Position } from '../../cluster/ports/broker.js';
import type { Session } from '../../sessions/session.js';
import type { ChannelPush } from '../channel-push.js';
import { Subscribers, type SubscribersOptions } from '../subscribers.js';
import { Subscription } from '../subscription.js';
import type { SlowReader, SlowReaders } from './slow-readers.js';
import type { StateCounts } from './state-counts.js';
import { keysIn, type StateView } from './state-view.js';

/** Bytes that wait for a reader from which on it does not get each change. */
export const SLOW_BYTES = 65_536;
/** Keys in one message for a slow reader. If more have changed, it gets the whole state again. */
const MAX_KEYS_AT_ONCE = 1_000;

/** The state that the subscribers of one channel share. */
export interface SharedState {
  readonly view: StateView;
  readonly counts: StateCounts;
  readonly slow: SlowReaders;
  /** Undefined: it is the state of a whole channel. */
  readonly cell: string | undefined;
  /** The position of the view. */
  position: Position;
  /** Sends the whole state to one subscriber. */
  resend(subscription: Subscription): void;
}

/** A subscription of a state channel with `delivery: latest`. While its reader is slow, changes of a key are one. */
export class StateSubscription extends Subscription implements SlowReader {
  /** Keys whose values the client does not have as they are. */
  private owed: Set<string> | undefined;

  constructor(
    session: Session,
    private readonly name: string,
    private readonly shared: SharedState,
  ) {
    super(session, name);
  }

  override recover(formerSession: string | undefined): void {
    this.owed = undefined;
    super.recover(formerSession);
  }

  override offer(push: ChannelPush): void {
    const { publication, isSnapshot } = push;
    if (isSnapshot) this.owed = undefined;
    const isEachSent = this.owed === undefined && !this.isSlow;
    if (!this.isFollowing || publication === undefined || isEachSent) return super.offer(push);
    this.owed ??= new Set();
    this.shared.slow.add(this);
    this.note(this.owed, publication.data);
    this.shared.counts.conflated += 1;
    this.settle();
  }

  override end(): void {
    this.owed = undefined;
    super.end();
  }

  settle(): boolean {
    const { owed } = this;
    if (owed === undefined) return true;
    if (!this.isFollowing || this.isSlow) return false;
    this.owed = undefined;
    if (owed.size > MAX_KEYS_AT_ONCE) this.shared.resend(this);
    else this.pay(owed);
    return true;
  }

  private pay(owed: ReadonlySet<string>): void {
    const { position, view, cell } = this.shared;
    const set: Record<string, unknown> = {};
    for (const key of owed) {
      const seen = view.get(key);
      if (seen !== undefined) set[key] = seen.value;
    }
    // Whole values, so each key is removed first.
    this.session.send({
      type: 'message',
      channel: this.name,
      ...position,
      ts: Date.now(),
      data: { ...(cell !== undefined && { cell }), set, del: [...owed] },
    });
  }

  /** With one key more than a message may have, the whole state is owed, and which keys have changed is of no use. */
  private note(owed: Set<string>, data: unknown): void {
    if (owed.size > MAX_KEYS_AT_ONCE) return;
    for (const key of keysIn(data)) {
      owed.add(key);
      if (owed.size > MAX_KEYS_AT_ONCE) return;
    }
  }

  private get isSlow(): boolean {
    return this.session.connection.waitingBytes >= SLOW_BYTES;
  }
}

export class StateSubscribers extends Subscribers {
  constructor(
    options: SubscribersOptions,
    private readonly shared: SharedState,
  ) {
    super(options);
  }

  protected override subscriptionOf(session: Session): Subscription {
    return new StateSubscription(session, this.setup.channel.name, this.shared);
  }
}
