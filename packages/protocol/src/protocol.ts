export { adviceFor, bannedUntil, CLOSES, reconnectWindow, type ClientAdvice, type CloseName } from './close-codes.js';
export { ERRORS, isRetryable, type ErrorCode } from './error-codes.js';
export {
  DEFAULT_SUBPROTOCOL,
  ENVELOPE_VERSION,
  MAX_ID_LENGTH,
  MAX_TYPE_LENGTH,
  type ClientMessage,
  type CorrelationId,
  type ErrorMessage,
  type OutboundMessage,
  type Publisher,
  type ServerMessage,
  type Subprotocol,
} from './envelope.js';
export { MAX_CHANNEL_NAME_LENGTH, parseChannelName, type ChannelNameParts } from './channel-names.js';
export type {
  Gap,
  HelloReply,
  HistoryReply,
  PresenceEvent,
  PresenceReply,
  Publication,
  PublishReply,
  PublishRequest,
  SubscribeReply,
  SubscribeRequest,
  TapEnd,
  TapLine,
  TapRequest,
  TapStartReply,
  UnsubscribedNotice,
} from './built-in-messages.js';
export type { Position } from './built-in-messages.js';
