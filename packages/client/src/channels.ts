import type { HistoryReply, Position, PresenceReply, PublishReply } from '@gatehouse/protocol';
import type { GatehouseError } from './errors.js';
import type { Incoming } from './incoming.js';
import { Observable } from './observable.js';
import type { Member } from './presence.js';
import { Reader, type ReaderOptions } from './reader.js';
import { Subscription, type Follower, type SubscriptionHost } from './subscription.js';
import type { RequestOptions } from './requests.js';
import { GatehouseError as Failure } from './errors.js';

export interface ChannelOptions<D = unknown> extends ReaderOptions<D> {
  /** Called with everybody who is in the channel, now and after each change. */
  readonly onPresence?: ((members: readonly Member[]) => void) | undefined;
  /** Called if the server refuses the subscription, or `load` fails. Without it, these go to `client.on('error')`. */
  readonly onError?: ((error: GatehouseError) => void) | undefined;
}

/**
 * `waiting`: there is no connection; `subscribing`; `loading`: publications wait behind `load`; `live`;
 * `refused`: see `error`; `closed`: by you.
 */
export type ChannelState = 'waiting' | 'subscribing' | 'loading' | 'live' | 'refused' | 'closed';

export interface ChannelSnapshot {
  readonly state: ChannelState;
  readonly error?: GatehouseError | undefined;
  readonly members?: readonly Member[] | undefined;
}

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
  readonly subscribe: (listener: () => void) => () => void;
  publish(data: D, options?: PublishOptions): Promise<PublishReply>;
  history(options?: HistoryOptions): Promise<HistoryReply>;
  presence(): Promise<PresenceReply>;
  close(): void;
}

/** A component that is mounted again right away keeps the subscription. */
const UNSUBSCRIBE_AFTER_MS = 1_000;

export class Channels {
  private readonly subscriptions = new Map<string, Subscription>();

  constructor(private readonly host: SubscriptionHost) {}

  open(name: string, options: ChannelOptions): Channel {
    let subscription = this.subscriptions.get(name);
    if (subscription === undefined) {
      subscription = new Subscription(name, this.host);
      this.subscriptions.set(name, subscription);
    }
    return this.handleOf(subscription, options);
  }

  onOpen(): void {
    for (const subscription of this.subscriptions.values()) subscription.subscribe();
  }

  onDown(): void {
    for (const subscription of this.subscriptions.values()) subscription.onDown();
  }

  /** Returns whether the message belongs to a channel. */
  receive(message: Incoming): boolean {
    if (message.channel == null || !TYPES.has(message.type)) return false;
    this.subscriptions.get(message.channel)?.receive(message);
    return true;
  }

  distrust(): void {
    for (const subscription of this.subscriptions.values()) subscription.distrust();
  }

  stop(): void {
    for (const subscription of this.subscriptions.values()) subscription.stop();
    this.subscriptions.clear();
  }

  private handleOf(subscription: Subscription, options: ChannelOptions): Channel {
    const { host } = this;
    const { name } = subscription;
    let isClosed = false;
    const onError = (error: GatehouseError): void => {
      if (options.onError === undefined) return host.onError(error);
      guard(() => options.onError?.(error), host.onError);
    };
    const snapshot = (): ChannelSnapshot => {
      const { state, error, presentMembers: members } = subscription;
      if (isClosed) return { state: 'closed' };
      return { state: state === 'live' && reader.isLoading ? 'loading' : state, error, members };
    };
    const onChange = (): void => store.set(snapshot());
    const reader = new Reader(options, {
      environment: host.environment,
      isLive: () => subscription.state === 'live',
      onBehind: () => subscription.subscribe(),
      onChange,
      onError,
    });
    const follower: Follower = {
      reader,
      wantsPresence: options.onPresence !== undefined,
      onPresence: (members) => {
        guard(() => options.onPresence?.(members), host.onError);
        onChange();
      },
      onState: onChange,
      onError,
    };
    const store = new Observable<ChannelSnapshot>(snapshot(), (cause) => onError(thrown(cause)));
    subscription.add(follower);
    const { presentMembers } = subscription;
    if (presentMembers && follower.wantsPresence) follower.onPresence(presentMembers);
    return {
      name,
      getSnapshot: store.getSnapshot,
      subscribe: store.subscribe,
      publish: (data, { signal, timeoutMs, replayProtected, ...rest } = {}) => {
        const idempotencyKey = rest.idempotencyKey ?? randomKey(host.environment.random);
        const isHeld = (): boolean => !isClosed && subscription.isPending;
        const sending = { signal, timeoutMs, replayProtected, idempotent: true, isHeld };
        return host.requests.send(
          'publish',
          { channel: name, data, ...rest, idempotencyKey },
          sending,
        ) as Promise<PublishReply>;
      },
      history: (asked) =>
        host.requests.send('history', { channel: name, ...asked }, IDEMPOTENT) as Promise<HistoryReply>,
      presence: () => host.requests.send('presence', { channel: name }, IDEMPOTENT) as Promise<PresenceReply>,
      close: () => {
        if (isClosed) return;
        isClosed = true;
        subscription.remove(follower, UNSUBSCRIBE_AFTER_MS, () => this.subscriptions.delete(name));
        onChange();
      },
    };
  }
}

const IDEMPOTENT: RequestOptions = { idempotent: true };
const TYPES: ReadonlySet<string> = new Set(['message', 'gap', 'presence', 'unsubscribed']);

function guard(run: () => void, onError: (error: GatehouseError) => void): void {
  try {
    run();
  } catch (cause) {
    onError(thrown(cause));
  }
}

function thrown(cause: unknown): GatehouseError {
  return new Failure('HANDLER_FAILED', 'A handler of a channel threw', { cause });
}

function randomKey(random: () => number): string {
  return Array.from({ length: 3 }, () => Math.floor(random() * 36 ** 8).toString(36)).join('');
}
