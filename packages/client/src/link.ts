import type { HelloReply } from '@gatehouse/protocol';
import { Connection, type ConnectionEvents, type ConnectionHost } from './connection.js';
import { backoff, planAfter, type Close } from './delays.js';
import type { PageEvent } from './environment.js';
import { failure, GatehouseError, SignedOut } from './errors.js';
import { Observable } from './observable.js';
import { routeOf } from './route.js';
import { IDLE, type ConnectionSnapshot, type State } from './snapshot.js';
import { Timers } from './timers.js';
import type { Tokens } from './tokens.js';

export interface LinkHost extends ConnectionHost {
  readonly tokens: Tokens;
  readonly options: ConnectionHost['options'] & {
    readonly url: string;
    readonly dialWhenHidden?: boolean | undefined;
    readonly followRoute?: boolean | undefined;
  };
  onOpen(): void;
  onDown(): void;
  onError(error: GatehouseError): void;
  onStop(error: GatehouseError): void;
  onLost(): void;
}

const HANDSHAKE_MS = 15_000;
const LOST_MS = 5_000;
/** A connection that held for this long ends the series of failed attempts. */
const STABLE_MS = 5_000;
const ATTEMPTS_BEFORE_ROUTE = 2;

/** One connection at a time, and another after it when the last one ended. */
export class Link implements ConnectionEvents {
  readonly store: Observable<ConnectionSnapshot>;
  hello: HelloReply | undefined;
  private readonly _timers: Timers;
  private _connection: Connection | undefined;
  /** What began before the last dial counts no more. */
  private _dials = 0;
  private _retryAt = 0;
  private _mayHurry = true;
  private _clockOffset = 0;
  private _routed: string | undefined;
  private _stopListening: (() => void) | undefined;

  constructor(private readonly _host: LinkHost) {
    this._timers = new Timers(_host.clock);
    this.store = new Observable(IDLE, (error) => _host.onError(error));
  }

  get state(): State {
    return this._snapshot.state;
  }

  private get _snapshot(): ConnectionSnapshot {
    return this.store.getSnapshot();
  }

  /** The time of the server, as far as it is known. */
  now(): number {
    return this._host.clock.now() + this._clockOffset;
  }

  connect(): void {
    if (this._connection || this.state === 'connecting') return;
    this._stopListening ??= this._host.page?.listen((event) => this._onPage(event));
    void this._dial();
  }

  /** @returns whether the frame went out */
  send(frame: string | Uint8Array): boolean {
    return this._connection?.send(frame) ?? false;
  }

  close(): void {
    this._end({ code: 1000, reason: 'Client closed' }, failure('CLOSED'));
  }

  private async _dial(): Promise<void> {
    const dial = ++this._dials;
    this._timers.clear('retry');
    this._watchForLoss();
    this._change({ state: 'connecting' });
    // A listener may have closed it.
    if (dial !== this._dials) return;
    try {
      const token = await this._host.tokens.get(this.now());
      if (dial === this._dials) this._open(token);
    } catch (error) {
      if (dial === this._dials) this._onDialFailed(error);
    }
  }

  private _open(token: string | undefined): void {
    const { _host: host } = this;
    this._connection = new Connection(host, this._routed ?? host.options.url.replace(/^http/, 'ws'), token, this);
    this._endIn(HANDSHAKE_MS, 'Too slow to open');
  }

  private _endIn(ms: number, reason: string): void {
    this._timers.set('handshake', ms, () => this.onEnd({ code: 1006, reason }));
  }

  private _onDialFailed(error: unknown): void {
    if (error instanceof SignedOut)
      return this._end({ code: 4401, reason: 'Signed out' }, failure('UNAUTHENTICATED', error));
    const isToken = error instanceof GatehouseError;
    const told = isToken ? error : failure('CLOSED', error);
    const { attempt } = this._snapshot;
    if (isToken) this._wait(backoff(attempt, this._host.random), { code: 1006, reason: 'No token' });
    else this._end({ code: 1006, reason: String(error) }, told);
    // Last, as its handler may close the client.
    this._host.onError(told);
  }

  onHello(hello: HelloReply | undefined): void {
    const now = this._host.clock.now();
    this.hello = hello;
    this._clockOffset = (hello?.serverTime ?? now) - now;
    this._timers.clear('handshake', 'lost');
    this._timers.set('stable', STABLE_MS, () => this._change({ attempt: 0 }));
    // Between 100 and 115 minutes of two hours, before the host cuts it. The timer of the handshake has no other use now.
    if (hello?.connection) this._endIn(hello.connection.maxAgeMs * (5 / 6 + this._host.random() / 8), 'Too old');
    const session = hello && { sessionId: hello.sessionId, userId: hello.userId };
    this._change({ state: 'open', lost: false, session });
    // A listener may have closed it.
    if (this.state === 'open') this._host.onOpen();
  }

  onEnd(close: Close): void {
    const hadOpened = this.state === 'open';
    const { attempt } = this._snapshot;
    const plan = planAfter(close, attempt, this.now(), this._host.random);
    this._routed = undefined;
    if (plan.delayMs === undefined || (plan.token && !this._host.tokens.refuse()))
      return this._end(close, failure('CLOSED', close));
    this._wait(plan.delayMs, close, !plan.asked);
    if (!hadOpened && close.code === 1006 && attempt + 1 >= ATTEMPTS_BEFORE_ROUTE) void this._askRoute();
  }

  private _wait(delayMs: number, close: Close, mayHurry = true): void {
    const { attempt } = this._snapshot;
    this._mayHurry = mayHurry;
    this._watchForLoss();
    this._retryIn(delayMs);
    this._leave({ state: 'waiting', attempt: attempt + 1, close });
  }

  private _retryIn(delayMs: number): void {
    const { clock, page } = this._host;
    this._retryAt = clock.elapsed() + delayMs;
    this._timers.set('retry', delayMs, () => {
      this._mayHurry = true;
      if (!page?.hidden || this._host.options.dialWhenHidden) void this._dial();
    });
  }

  /** A browser reports every refused upgrade as 1006. This tells when to come back, and maybe where to. */
  private async _askRoute(): Promise<void> {
    const { _dials: dials, _host: host } = this;
    const { url, waitMs = 0 } = await routeOf(host.options.url, host);
    if (dials !== this._dials || this.state !== 'waiting') return;
    if (host.options.followRoute) this._routed = url;
    if (host.clock.elapsed() + waitMs > this._retryAt) this._retryIn(waitMs);
  }

  private _onPage(event: PageEvent): void {
    if (event === 'gone') return this._park();
    this._connection?.probe();
    if (event === 'offline' || this.state !== 'waiting' || this._host.page?.hidden) return;
    // A ban, a full server and a drain ask for a wait, whatever the page does.
    if (!this._mayHurry) return;
    this._change({ attempt: 0 });
    void this._dial();
  }

  /** The page may go to the back/forward cache, where no connection may be open. */
  private _park(): void {
    this._timers.clear('retry', 'lost');
    this._mayHurry = true;
    this._leave({ state: 'waiting', close: { code: 1000, reason: 'Page left' } });
  }

  private _end(close: Close, error: GatehouseError): void {
    if (this.state === 'closed') return;
    this._timers.clear();
    this._stopListening?.();
    this._stopListening = undefined;
    this._leave({ state: 'closed', attempt: 0, lost: false, close });
    this._host.onStop(error);
  }

  /** Drops the connection, if there is one, and what was about to make one. */
  private _leave(part: Partial<ConnectionSnapshot>): void {
    const wasOpen = this.state === 'open';
    this._dials += 1;
    this._timers.clear('handshake', 'stable');
    this._connection?.drop();
    this._connection = undefined;
    this._change({ session: undefined, ...part });
    if (wasOpen) this._host.onDown();
  }

  private _watchForLoss(): void {
    if (this._snapshot.lost || this._timers.has('lost')) return;
    this._timers.set('lost', LOST_MS, () => {
      this._change({ lost: true });
      this._host.onLost();
    });
  }

  private _change(part: Partial<ConnectionSnapshot>): void {
    this.store.set({ ...this._snapshot, ...part });
  }
}
