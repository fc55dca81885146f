import { Channels, type Channel } from './channels.js';
import type { Client, ClientOptions } from './client.js';
import { json, type Codec } from './codec.js';
import type { Contract, UntypedContract } from './contract.js';
import { environmentOf, type Clock, type Fetch, type Page, type SocketConstructor } from './environment.js';
import { failure, type GatehouseError } from './errors.js';
import { EventHandlers } from './event-handlers.js';
import type { ChannelOptions } from './handle.js';
import type { Incoming } from './incoming.js';
import { Link, type LinkHost } from './link.js';
import { errorOf, Requests, type RequestOptions, type RequestsHost } from './requests.js';
import type { ConnectionSnapshot } from './snapshot.js';
import type { SubscriptionHost } from './subscription.js';
import { TokenRenewal, type RenewalHost } from './token-renewal.js';
import { Tokens } from './tokens.js';

export function createClient<C extends Contract = UntypedContract>(options: ClientOptions): Client<C> {
  return new Core(options) as unknown as Client<C>;
}

/** The parts of a client, and what they tell each other. */
class Core implements LinkHost, RequestsHost, SubscriptionHost, RenewalHost {
  declare readonly clock: Clock;
  declare readonly random: () => number;
  declare readonly WebSocket: SocketConstructor | undefined;
  declare readonly fetch: Fetch | undefined;
  declare readonly page: Page | undefined;
  readonly codec: Codec;
  readonly tokens: Tokens;
  readonly link: Link;
  readonly requests: Requests;
  previousSession: string | undefined;
  readonly getSnapshot: () => ConnectionSnapshot;
  readonly subscribe: (listener: () => void) => () => void;
  private readonly _handlers = new EventHandlers();
  private readonly _channels: Channels;
  private readonly _renewal: TokenRenewal;
  private _session: string | undefined;
  /** With encryption, each message waits for the one before it. */
  private _opened: Promise<void> = Promise.resolve();

  constructor(readonly options: ClientOptions) {
    Object.assign(this, environmentOf(options));
    this.codec = options.codec ?? json;
    this.tokens = new Tokens(options, this.clock);
    this.link = new Link(this);
    this.requests = new Requests(this);
    this._channels = new Channels(this);
    this._renewal = new TokenRenewal(this);
    this.getSnapshot = this.link.store.getSnapshot;
    this.subscribe = this.link.store.subscribe;
  }

  connect(): void {
    this.link.connect();
  }

  close(): void {
    this.link.close();
    // Also if the server has closed it before: channels wait for another connection then.
    this._channels.stop();
    this.tokens.stop();
  }

  request(type: string, data?: unknown, options?: RequestOptions): Promise<unknown> {
    this._wake();
    return this.requests.send(type, data, options);
  }

  on(type: string, handler: (data: unknown, message: Incoming) => void): () => void {
    return this._handlers.add(type, handler);
  }

  channel(name: string, options: ChannelOptions = {}): Channel {
    this._wake();
    return this._channels.open(name, options);
  }

  onOpen(): void {
    this.previousSession = this._session;
    this._session = this.link.hello?.sessionId;
    this.requests.onOpen();
    this._channels.onOpen();
    this._renewal.start();
  }

  onDown(): void {
    this._renewal.stop();
    this._channels.onDown();
    this.requests.onDown();
  }

  onStop(error: GatehouseError): void {
    this._renewal.stop();
    this._channels.onDown();
    this.requests.stop(error);
  }

  onLost(): void {
    this._emit({ type: 'lost' });
  }

  onMessage(message: Incoming): void {
    const { cipher } = this.options;
    if (!cipher) return this._route(message);
    this._opened = this._opened
      .then(() => cipher.openMessage(message))
      .then((opened) => this._route(opened))
      .catch((cause: unknown) => this.onError(failure('DECRYPTION_FAILED', cause)));
  }

  distrust(cause: unknown): void {
    this.onError(failure('BAD_MESSAGE', cause));
    this._channels.distrust();
  }

  onError(error: GatehouseError): void {
    this._handlers.emit({ type: 'error', data: error }, ({ cause }) => {
      // A handler of errors has thrown: the platform tells it as it tells any error that nobody caught.
      this.clock.setTimeout(() => {
        throw cause;
      }, 0);
    });
  }

  private _wake(): void {
    if (this.link.state === 'idle') this.link.connect();
  }

  private _route(message: Incoming): void {
    if (message.id != null && this.requests.receive(message)) return;
    if (this._channels.receive(message)) return;
    if (message.type === 'error') this.onError(errorOf(message));
    else this._emit(message);
  }

  private _emit(message: Incoming): void {
    this._handlers.emit(message, (error) => this.onError(error));
  }
}
