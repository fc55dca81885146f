import type { Gap, Position } from '@gatehouse/protocol';
import type { Environment } from './environment.js';
import type { GatehouseError } from './errors.js';
import { guard } from './guard.js';
import type { Load } from './loader.js';
import { Observable } from './observable.js';
import type { Member } from './presence.js';
import { Reader, type ReaderHost } from './reader.js';
import type { ChannelPublication } from './subscribe-reply.js';
import type { Follower, Subscription, SubscriptionHost } from './subscription.js';

export interface ChannelOptions<D = unknown> {
  /**
   * Loads the state that the channel is about. Returns the position that was read BEFORE the data, if its source knows one.
   * Runs first and after every gap; publications wait behind it.
   */
  readonly load?: ((load: Load) => Promise<Position | undefined | void>) | undefined;
  /** How long `load` may take before it is called again. Default: 30 s. */
  readonly loadTimeoutMs?: number | undefined;
  readonly onMessage?: ((publication: ChannelPublication<D>) => void) | undefined;
  /** Called if publications are lost and there is no `load`. */
  readonly onGap?: ((gap: Gap) => void) | undefined;
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

/** One use of a channel: between the code of the user, what it reads, and the subscription that all uses share. */
export class Handle implements Follower, ReaderHost {
  readonly environment: Environment;
  readonly presence: boolean;
  readonly reader: Reader;
  readonly store: Observable<ChannelSnapshot>;
  isClosed = false;

  constructor(
    readonly options: ChannelOptions,
    private readonly _subscription: Subscription,
    private readonly _host: SubscriptionHost,
  ) {
    this.environment = _host;
    this.presence = options.onPresence !== undefined;
    this.reader = new Reader(this);
    this.store = new Observable(this._snapshot(), (error) => this.onError(error));
  }

  isLive(): boolean {
    return this._subscription.state === 'live';
  }

  onBehind(): void {
    this._subscription.subscribe();
  }

  onMessage(publication: ChannelPublication): void {
    this._call(() => this.options.onMessage?.(publication));
  }

  onGap(gap: Gap): void {
    this._call(() => this.options.onGap?.(gap));
  }

  onPresence(members: readonly Member[]): void {
    this._call(() => this.options.onPresence?.(members));
    this.onChange();
  }

  onChange(): void {
    this.store.set(this._snapshot());
  }

  onError(error: GatehouseError): void {
    const { options, _host: host } = this;
    if (options.onError === undefined) return host.onError(error);
    guard(
      () => options.onError?.(error),
      (thrown) => host.onError(thrown),
    );
  }

  private _call(run: () => unknown): void {
    if (!this.isClosed) guard(run, (error) => this.onError(error));
  }

  private _snapshot(): ChannelSnapshot {
    const { state, error, members } = this._subscription;
    if (this.isClosed) return { state: 'closed' };
    return { state: state === 'live' && this.reader.loading ? 'loading' : state, error, members };
  }
}
