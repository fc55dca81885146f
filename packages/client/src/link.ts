import type { ClientMessage, HelloReply } from '@gatehouse/protocol';
import type { Codec } from './codec.js';
import { planAfter, backoff, type Close } from './delays.js';
import type { Environment, PageEvent } from './environment.js';
import { GatehouseError, SignedOut } from './errors.js';
import { isObject, readIncoming, type Incoming } from './incoming.js';
import { Observable } from './observable.js';
import { Pulse } from './pulse.js';
import { retryAfterOf, routeOf } from './route.js';
import { Timers } from './timers.js';
import type { Tokens } from './tokens.js';
import { Wire } from './wire.js';

export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** The connection at one moment. A new object for each change. */
export interface ConnectionSnapshot {
  readonly state: State;
  /** Attempts since the last connection that held. */
  readonly attempt: number;
  /** Whether there has been no connection for five seconds although there should be one. */
  readonly lost: boolean;
  /** How the last connection ended. */
  readonly close?: Close | undefined;
  readonly session?: Pick<HelloReply, 'sessionId' | 'userId'> | undefined;
}

export interface LinkHooks {
  onOpen(): void;
  onDown(): void;
  onMessage(message: Incoming): void;
  /** A frame arrived that cannot be read: it may have been a publication. */
  onUnreadable(): void;
  onStop(error: GatehouseError): void;
  onLost(): void;
  onError(error: GatehouseError): void;
}

export interface LinkOptions {
  readonly url: string;
  readonly codec: Codec;
  readonly dialWhenHidden: boolean;
  readonly followRoute: boolean;
  readonly maxFrameLength: number;
}

const HANDSHAKE_MS = 15_000;
const LOST_MS = 5_000;
/** A connection that held for this long ends the series of failed attempts. */
const STABLE_MS = 5_000;
const PROBE_ON_WAKE_MS = 3_000;
const ATTEMPTS_BEFORE_ROUTE = 2;

/** One connection at a time, and another after it when the last one ended. */
export class Link {
  readonly store: Observable<ConnectionSnapshot>;
  hello: HelloReply | undefined;
  private readonly timers: Timers;
  private readonly pulse: Pulse;
  private wire: Wire | undefined;
  private helloId = '';
  private dials = 0;
  private retryAt = 0;
  private clockOffset = 0;
  private isParked = false;
  private routed: string | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly options: LinkOptions,
    private readonly environment: Environment,
    private readonly tokens: Tokens,
    private readonly hooks: LinkHooks,
  ) {
    const { clock } = environment;
    this.timers = new Timers(clock);
    this.pulse = new Pulse(clock, {
      ping: (id) => this.send({ type: 'ping', id }),
      onDead: () => this.lose({ code: 1006, reason: 'No answer to a ping' }),
    });
    this.store = new Observable<ConnectionSnapshot>({ state: 'idle', attempt: 0, lost: false }, (error) =>
      hooks.onError(new GatehouseError('HANDLER_FAILED', 'A listener of the connection threw', { cause: error })),
    );
  }

  get state(): State {
    return this.store.getSnapshot().state;
  }

  /** The time of the server, as far as it is known. */
  serverNow(): number {
    return this.environment.clock.now() + this.clockOffset;
  }

  connect(): void {
    if (this.wire !== undefined || this.state === 'connecting') return;
    this.stopListening ??= this.environment.page?.listen((event) => this.onPage(event));
    void this.dial();
  }

  /** @returns whether the message went out */
  send(message: ClientMessage): boolean {
    return this.state === 'open' && this.sendFrame(this.options.codec.encode(message));
  }

  sendFrame(frame: string | Uint8Array): boolean {
    if (this.wire === undefined) return false;
    try {
      this.wire.send(frame);
      return true;
    } catch {
      // The socket is closing. Its close event tells the rest.
      return false;
    }
  }

  close(): void {
    this.end({ code: 1000, reason: 'The client closed' }, new GatehouseError('CLOSED', 'The client is closed'));
  }

  private async dial(): Promise<void> {
    const dial = ++this.dials;
    this.isParked = false;
    this.timers.clear('retry');
    this.change({ state: 'connecting' });
    if (!this.store.getSnapshot().lost && !this.timers.has('lost'))
      this.timers.set('lost', LOST_MS, () => this.onLost());
    let token: string | undefined;
    try {
      token = await this.tokens.forConnection(this.serverNow());
    } catch (error) {
      if (dial === this.dials) this.onTokenFailed(error);
      return;
    }
    if (dial === this.dials) this.open(token);
  }

  private open(token: string | undefined): void {
    const { WebSocket } = this.environment;
    const { subprotocol } = this.options.codec;
    this.timers.set('handshake', HANDSHAKE_MS, () => this.lose({ code: 1006, reason: 'It took too long to open' }));
    try {
      if (WebSocket === undefined)
        throw new TypeError('Pass the WebSocket of the package `ws`: this platform has none');
      const url = this.routed ?? this.options.url.replace(/^http/, 'ws');
      const protocols = token === undefined ? [subprotocol] : [subprotocol, `bearer.${token}`];
      this.wire = new Wire(WebSocket, url, protocols, {
        onOpen: () => this.sayHello(),
        onFrame: (frame) => this.onFrame(frame),
        onClose: (close) => this.lose(close),
      });
    } catch (cause) {
      const error = new GatehouseError('CLOSED', 'The connection cannot be opened', { cause });
      this.hooks.onError(error);
      this.end({ code: 1006, reason: String(cause) }, error);
    }
  }

  private sayHello(): void {
    this.helloId = `hello-${this.dials}`;
    this.sendFrame(this.options.codec.encode({ type: 'hello', id: this.helloId }));
  }

  private onFrame(frame: string | Uint8Array): void {
    this.pulse.heard();
    let message: Incoming;
    try {
      if (frame.length > this.options.maxFrameLength) throw new RangeError('a frame that is too long');
      message = readIncoming(this.options.codec.decode(frame));
    } catch (cause) {
      this.hooks.onError(new GatehouseError('BAD_MESSAGE', 'The server sent what is no message', { cause }));
      this.hooks.onUnreadable();
      return;
    }
    if (this.state === 'connecting' && message.id === this.helloId) this.onHello(message.data);
    else this.hooks.onMessage(message);
  }

  /** An error instead of a reply is fine, too: then the server has no such message, and its limits are unknown. */
  private onHello(data: unknown): void {
    this.hello = isHello(data) ? data : undefined;
    this.clockOffset = (this.hello?.serverTime ?? this.environment.clock.now()) - this.environment.clock.now();
    this.timers.clear('handshake', 'lost');
    this.timers.set('stable', STABLE_MS, () => this.change({ attempt: 0 }));
    this.pulse.start(this.hello?.heartbeat);
    const session = this.hello && { sessionId: this.hello.sessionId, userId: this.hello.userId };
    this.change({ state: 'open', lost: false, session });
    this.hooks.onOpen();
  }

  private onTokenFailed(error: unknown): void {
    if (error instanceof SignedOut) {
      const reason = new GatehouseError('UNAUTHENTICATED', 'The user is signed out', { cause: error });
      return this.end({ code: 4401, reason: 'Signed out' }, reason);
    }
    this.hooks.onError(error as GatehouseError);
    const { attempt } = this.store.getSnapshot();
    this.waitFor(backoff(attempt, this.environment.random), { code: 1006, reason: 'There is no token' });
  }

  private lose(close: Close): void {
    const hadOpened = this.state === 'open';
    this.dropWire();
    this.routed = undefined;
    const { attempt } = this.store.getSnapshot();
    const plan = planAfter(close, attempt, this.serverNow(), this.environment.random);
    if (plan.delayMs === undefined || (plan.needsToken && !this.tokens.refuse())) {
      const message = `The server does not want this client back: ${close.code} ${close.reason}`;
      return this.end(close, new GatehouseError('CLOSED', message));
    }
    this.waitFor(plan.delayMs, close);
    if (hadOpened) this.hooks.onDown();
    else if (close.code === 1006 && attempt + 1 >= ATTEMPTS_BEFORE_ROUTE) void this.askRoute();
  }

  private waitFor(delayMs: number, close: Close): void {
    this.dials += 1;
    const { attempt, lost } = this.store.getSnapshot();
    this.change({ state: 'waiting', attempt: attempt + 1, close, session: undefined });
    if (!lost && !this.timers.has('lost')) this.timers.set('lost', LOST_MS, () => this.onLost());
    this.retryIn(delayMs);
  }

  private retryIn(delayMs: number): void {
    this.retryAt = this.environment.clock.elapsed() + delayMs;
    this.timers.set('retry', delayMs, () => {
      if (this.environment.page?.hidden === true && !this.options.dialWhenHidden) this.isParked = true;
      else void this.dial();
    });
  }

  /** A browser reports every refused upgrade as 1006. This tells when to come back, and maybe where to. */
  private async askRoute(): Promise<void> {
    const { dials } = this;
    const route = await routeOf(this.options.url, this.environment);
    if (route === undefined || dials !== this.dials || this.state !== 'waiting') return;
    if (this.options.followRoute) this.routed = route.url;
    const earliest = this.environment.clock.elapsed() + retryAfterOf(route, this.environment.random);
    if (earliest > this.retryAt) this.retryIn(earliest - this.environment.clock.elapsed());
  }

  private onPage(event: PageEvent): void {
    if (event === 'gone') this.park();
    else if (event === 'offline') this.pulse.probe(PROBE_ON_WAKE_MS);
    else if (this.state === 'open') this.pulse.probe(PROBE_ON_WAKE_MS);
    else if (this.state === 'waiting' && this.environment.page?.hidden !== true && this.mayHurry()) {
      this.change({ attempt: 0 });
      void this.dial();
    }
  }

  /** A ban, a full server and a drain ask for a wait, whatever the page does. */
  private mayHurry(): boolean {
    const { close } = this.store.getSnapshot();
    return this.isParked || ![1012, 1013, 4001, 4503].includes(close?.code ?? 0);
  }

  /** The page may go to the back/forward cache, where no connection may be open. */
  private park(): void {
    if (this.state !== 'connecting' && this.state !== 'open' && this.state !== 'waiting') return;
    const wasOpen = this.state === 'open';
    this.dropWire();
    this.dials += 1;
    this.timers.clear('retry', 'lost');
    this.isParked = true;
    this.change({ state: 'waiting', close: { code: 1000, reason: 'The page was left' }, session: undefined });
    if (wasOpen) this.hooks.onDown();
  }

  private onLost(): void {
    this.change({ lost: true });
    this.hooks.onLost();
  }

  private dropWire(): void {
    this.pulse.stop();
    this.timers.clear('handshake', 'stable');
    this.wire?.drop();
    this.wire = undefined;
  }

  private end(close: Close, error: GatehouseError): void {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.dials += 1;
    this.dropWire();
    this.timers.clearAll();
    this.stopListening?.();
    this.stopListening = undefined;
    this.change({ state: 'closed', attempt: 0, lost: false, close, session: undefined });
    if (wasOpen) this.hooks.onDown();
    this.hooks.onStop(error);
  }

  private change(part: Partial<ConnectionSnapshot>): void {
    this.store.set({ ...this.store.getSnapshot(), ...part });
  }
}

function isHello(data: unknown): data is HelloReply {
  if (!isObject(data) || typeof data.sessionId !== 'string' || typeof data.serverTime !== 'number') return false;
  return isObject(data.heartbeat) && isObject(data.limits);
}
