import { Channels, type Channel, type ChannelOptions } from './channels.js';
import { json, type Cipher, type Codec } from './codec.js';
import type {
  ChannelData,
  ChannelName,
  Contract,
  EventType,
  ReplyData,
  RequestData,
  RequestType,
  UntypedContract,
} from './contract.js';
import { openAll } from './decryption.js';
import { environmentOf, type Environment } from './environment.js';
import { GatehouseError } from './errors.js';
import { EventHandlers } from './event-handlers.js';
import type { Incoming } from './incoming.js';
import { Link, type ConnectionSnapshot } from './link.js';
import { errorOf, QUEUE, Requests, type QueueLimits, type RequestOptions } from './requests.js';
import { TokenRenewal } from './token-renewal.js';
import { Tokens, type TokenSource } from './tokens.js';

type Replaceable = { readonly [Part in keyof Environment]?: Environment[Part] | undefined };

export interface ClientOptions extends Replaceable {
  /** `wss://chat.example.com/ws`. `https:` and `http:` mean the same server. */
  readonly url: string;
  /** A token, or a function that gets one: it is called for the first connection, before a token expires, and if one is refused. */
  readonly token?: TokenSource | undefined;
  /** How long the token function may take. Default: 15 s. */
  readonly tokenTimeoutMs?: number | undefined;
  /** Default: JSON. */
  readonly codec?: Codec | undefined;
  /** Encrypts the data of requests, and decrypts what is encrypted. */
  readonly cipher?: Cipher | undefined;
  /** Whether requests wait while there is no connection. Default: false. `true`: 100 messages, 256 KiB, 30 s. */
  readonly queue?: boolean | Partial<QueueLimits> | undefined;
  /** Whether a hidden page reconnects. Default: false: it does so when it is shown again. */
  readonly dialWhenHidden?: boolean | undefined;
  /** Whether to connect to the node that `GET /route` names if the URL does not answer. Default: false. */
  readonly followRoute?: boolean | undefined;
  /** Longer frames of the server are not read. Default: 16 Mi characters or bytes. */
  readonly maxFrameLength?: number | undefined;
}

export interface ClientEvents {
  /** There has been no connection for five seconds. `getSnapshot().lost` says when that is over. */
  readonly lost: undefined;
  /** What went wrong and has no other place to be told. */
  readonly error: GatehouseError;
}

type RequestArguments<D> = undefined extends D
  ? [data?: D, options?: RequestOptions]
  : [data: D, options?: RequestOptions];

export interface Client<C extends Contract = UntypedContract> {
  readonly getSnapshot: () => ConnectionSnapshot;
  /** Calls back after each change of the snapshot. Returns the end of it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Connects, and stays connected. A request or a channel does so, too. Also tries again at once, or after the server gave up on us. */
  connect(): void;
  /** Ends everything, and leaves no timer. */
  close(): void;
  request<T extends RequestType<C>>(type: T, ...rest: RequestArguments<RequestData<C, T>>): Promise<ReplyData<C, T>>;
  on<T extends keyof ClientEvents>(type: T, handler: (event: ClientEvents[T]) => void): () => void;
  /** Calls back with the data of each message of a type. Returns the end of it. */
  on<T extends EventType<C>>(type: T, handler: (data: C['events'][T], message: Incoming) => void): () => void;
  channel<N extends ChannelName<C>>(name: N, options?: ChannelOptions<ChannelData<C, N>>): Channel<ChannelData<C, N>>;
}

const TOKEN_TIMEOUT_MS = 15_000;
const MAX_FRAME_LENGTH = 16 * 1_024 * 1_024;

export function createClient<C extends Contract = UntypedContract>(options: ClientOptions): Client<C> {
  const client = new Core(options);
  return client as unknown as Client<C>;
}

class Core {
  private readonly environment: Environment;
  private readonly handlers = new EventHandlers();
  private readonly link: Link;
  private readonly requests: Requests;
  private readonly channels: Channels;
  private readonly renewal: TokenRenewal;
  private readonly cipher: Cipher | undefined;
  private session: string | undefined;
  private previousSession: string | undefined;
  /** With encryption, each message waits for the one before it. */
  private opened: Promise<void> = Promise.resolve();

  readonly getSnapshot: () => ConnectionSnapshot;
  readonly subscribe: (listener: () => void) => () => void;

  constructor(options: ClientOptions) {
    const { codec = json, cipher, queue = false } = options;
    const environment = environmentOf(options);
    const tokens = new Tokens(options.token, environment.clock, options.tokenTimeoutMs ?? TOKEN_TIMEOUT_MS);
    const onError = this.onError.bind(this);
    this.environment = environment;
    this.cipher = cipher;
    this.link = new Link(
      {
        url: options.url,
        codec,
        dialWhenHidden: options.dialWhenHidden ?? false,
        followRoute: options.followRoute ?? false,
        maxFrameLength: options.maxFrameLength ?? MAX_FRAME_LENGTH,
      },
      environment,
      tokens,
      {
        onOpen: () => this.onOpen(),
        onDown: () => this.onDown(),
        onMessage: (message) => this.onMessage(message),
        onUnreadable: () => this.channels.distrust(),
        onStop: (error) => this.onStop(error),
        onLost: () => this.handlers.emit('lost', undefined, onError),
        onError,
      },
    );
    const limits = queue === false ? undefined : { ...QUEUE, ...(queue === true ? {} : queue) };
    this.requests = new Requests({ link: this.link, codec, cipher, environment, queue: limits });
    this.channels = new Channels({
      environment,
      requests: this.requests,
      isOpen: () => this.link.state === 'open',
      previousSession: () => this.previousSession,
      onError,
    });
    this.renewal = new TokenRenewal({
      environment,
      tokens,
      requests: this.requests,
      serverNow: () => this.link.serverNow(),
      onError,
      onSignedOut: () => this.link.close(),
    });
    this.getSnapshot = this.link.store.getSnapshot;
    this.subscribe = this.link.store.subscribe;
  }

  connect(): void {
    this.link.connect();
  }

  close(): void {
    this.link.close();
  }

  request(type: string, data?: unknown, options?: RequestOptions): Promise<unknown> {
    this.wake();
    return this.requests.send(type, data, options);
  }

  on(type: string, handler: (data: unknown, message: Incoming) => void): () => void {
    return this.handlers.add(type, handler);
  }

  channel(name: string, options: ChannelOptions = {}): Channel {
    this.wake();
    return this.channels.open(name, options);
  }

  private wake(): void {
    if (this.link.state === 'idle') this.link.connect();
  }

  private onOpen(): void {
    this.previousSession = this.session;
    this.session = this.link.hello?.sessionId;
    this.requests.onOpen();
    this.channels.onOpen();
    this.renewal.start();
  }

  private onDown(): void {
    this.renewal.stop();
    this.channels.onDown();
    this.requests.onDown();
  }

  private onStop(error: GatehouseError): void {
    this.renewal.stop();
    this.requests.stop(error);
    if (error.code === 'CLOSED' && this.getSnapshot().close?.code === 1000) this.channels.stop();
    else this.channels.onDown();
  }

  private onMessage(message: Incoming): void {
    const { cipher } = this;
    if (cipher === undefined) return this.route(message);
    this.opened = this.opened
      .then(() => openAll(message, cipher))
      .then((opened) => this.route(opened))
      .catch((cause: unknown) =>
        this.onError(new GatehouseError('DECRYPTION_FAILED', 'A message cannot be decrypted', { cause })),
      );
  }

  private route(message: Incoming): void {
    if (message.id != null && this.requests.receive(message)) return;
    if (this.channels.receive(message)) return;
    if (message.type === 'error') this.onError(errorOf(message));
    else this.handlers.emit(message.type, message.data, (error) => this.onError(error), message);
  }

  private onError(error: GatehouseError): void {
    this.handlers.emit('error', error, (thrown) => this.reportLast(thrown));
  }

  /** A handler of errors has thrown: the platform tells it as it tells any error that nobody caught. */
  private reportLast(error: GatehouseError): void {
    this.environment.clock.setTimeout(() => {
      throw error.cause;
    }, 0);
  }
}
