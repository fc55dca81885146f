export { createClient, type Client, type ClientEvents, type ClientOptions } from './client.js';
export type {
  Channel,
  ChannelOptions,
  ChannelSnapshot,
  ChannelState,
  HistoryOptions,
  PublishOptions,
} from './channels.js';
export type { Cipher, Codec } from './codec.js';
export type {
  ChannelData,
  ChannelName,
  Contract,
  EventType,
  ReplyData,
  RequestData,
  RequestType,
  UntypedContract,
} from './contract.js';
export type { Close } from './delays.js';
export type { Clock, Environment, Fetch, Page, PageEvent, Socket, SocketConstructor } from './environment.js';
export { GatehouseError, SignedOut, type Code, type LocalCode } from './errors.js';
export type { Incoming } from './incoming.js';
export type { ConnectionSnapshot, State } from './link.js';
export type { Load, LoadReason } from './loader.js';
export type { Member } from './presence.js';
export type { ChannelPublication } from './reader.js';
export type { QueueLimits, RequestOptions } from './requests.js';
export type { TokenAsk, TokenReason, TokenSource } from './tokens.js';
