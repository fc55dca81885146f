import type { Channel } from './channels.js';
import type { Cipher, Codec } from './codec.js';
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
import type { Environment } from './environment.js';
import type { GatehouseError } from './errors.js';
import type { ChannelOptions } from './handle.js';
import type { Incoming } from './incoming.js';
import type { QueueLimits, RequestOptions } from './requests.js';
import type { ConnectionSnapshot } from './snapshot.js';
import type { TokenSource } from './tokens.js';

export interface ClientOptions extends Partial<Environment> {
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

/** Data that may be `undefined` may be left out. */
export type RequestArguments<D> = undefined extends D
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
