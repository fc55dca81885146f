import type { HistoryReply, Position, PresenceReply, PublishReply } from '@gatehouse/protocol';
import { Handle, type ChannelOptions, type ChannelSnapshot } from './handle.js';
import type { Incoming } from './incoming.js';
import type { RequestOptions } from './requests.js';
import { Subscription, type SubscriptionHost } from './subscription.js';

export interface PublishOptions extends Pick<RequestOptions, 'signal' | 'timeoutMs' | 'replayProtected'> {
  /** Makes retries safe. Default: a new one for each call. */
  readonly idempotencyKey?: string | undefined;
  readonly ttlMs?: number | undefined;
  readonly excludeSelf?: boolean | undefined;
}

export interface HistoryOptions {
  readonly since?: Position | undefined;
  readonly limit?: number | undefined;
  readonly reverse?: boolean | undefined;
}

/** One use of a channel. The subscription ends a second after the last of them is closed. */
export interface Channel<D = unknown> {
  readonly name: string;
  readonly getSnapshot: () => ChannelSnapshot;
  /** Calls back after each change of the snapshot. Returns the end of it. */
  readonly subscribe: (listener: () => void) => () => void;
  publish(data: D, options?: PublishOptions): Promise<PublishReply>;
  history(options?: HistoryOptions): Promise<HistoryReply>;
  presence(): Promise<PresenceReply>;
  close(): void;
}

const TYPES = ['message', 'gap', 'presence', 'unsubscribed'];

export class Channels {
  private readonly _subscriptions = new Map<string, Subscription>();

  constructor(private readonly _host: SubscriptionHost) {}

  open(channel: string, options: ChannelOptions): Channel {
    const { requests } = this._host;
    const subscription =
      this._subscriptions.get(channel) ??
      new Subscription(channel, this._host, () => this._subscriptions.delete(channel));
    this._subscriptions.set(channel, subscription);
    const handle = new Handle(options, subscription, this._host);
    subscription.add(handle);
    const send = <R>(type: string, data: object, sending?: RequestOptions): Promise<R> =>
      requests.send(type, { channel, ...data }, { idempotent: true, ...sending }) as Promise<R>;
    return {
      name: channel,
      getSnapshot: handle.store.getSnapshot,
      subscribe: handle.store.subscribe,
      publish: (data, { signal, timeoutMs, replayProtected, ...rest } = {}) => {
        const idempotencyKey = requests.nextId();
        const isHeld = (): boolean => !handle.isClosed && subscription.pending;
        const sending = { signal, timeoutMs, replayProtected, isHeld };
        return send('publish', { data, idempotencyKey, ...rest }, sending);
      },
      history: (asked = {}) => send('history', asked),
      presence: () => send('presence', {}),
      close: () => {
        if (handle.isClosed) return;
        handle.isClosed = true;
        subscription.remove(handle);
        handle.onChange();
      },
    };
  }

  onOpen(): void {
    for (const subscription of this._subscriptions.values()) subscription.subscribe();
  }

  onDown(): void {
    for (const subscription of this._subscriptions.values()) subscription.onDown();
  }

  /** Returns whether the message belongs to a channel that is open here. */
  receive(message: Incoming): boolean {
    const subscription = TYPES.includes(message.type) && this._subscriptions.get(message.channel ?? '');
    if (subscription) subscription.receive(message);
    return !!subscription;
  }

  distrust(): void {
    for (const subscription of this._subscriptions.values()) subscription.distrust();
  }

  stop(): void {
    for (const subscription of this._subscriptions.values()) subscription.stop();
    this._subscriptions.clear();
  }
}
