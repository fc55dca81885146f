export { createClient } from './core.js';
export { GatehouseError, SignedOut, type Code, type LocalCode } from './errors.js';
export type * from './client.js';
export type * from './contract.js';
export type {
  ErrorCode,
  Gap,
  HistoryReply,
  Position,
  PresenceReply,
  Publication,
  Publisher,
  PublishReply,
} from '@gatehouse/protocol';
export type { Channel, HistoryOptions, PublishOptions } from './channels.js';
export type { Cipher, Codec } from './codec.js';
export type { Close } from './delays.js';
export type { Clock, Environment, Fetch, Page, PageEvent, Socket, SocketConstructor } from './environment.js';
export type { ChannelOptions, ChannelSnapshot, ChannelState } from './handle.js';
export type { Incoming } from './incoming.js';
export type { Load, LoadReason } from './loader.js';
export type { Member } from './presence.js';
export type { QueueLimits, RequestOptions } from './requests.js';
export type { ConnectionSnapshot, State } from './snapshot.js';
export type { ChannelPublication } from './subscribe-reply.js';
export type { MaybeToken, TokenAsk, TokenReason, TokenSource } from './tokens.js';
