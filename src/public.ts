/**
 * The public API of Gatehouse: everything that a gateway or a host application may import. Everything else in this
 * package may change in any release. `docs/api-report.md` lists the exports, and a test compares it with the
 * declarations.
 */
import 'reflect-metadata';

// The application
export { GatehouseModule, type GatehouseOptions } from './gatehouse.module.js';
export { installGatehouse } from './install-gatehouse.js';
export { Settings, type Environment } from '../config/settings.js';
export type { SettingsSource } from '../config/settings-source.js';
export { UnusableSettings } from '../config/unusable-settings.js';

// Gateways
export { RealtimeGateway } from './dispatch/realtime-gateway.js';
export {
  CurrentMessage,
  CurrentPrincipal,
  CurrentSession,
  MessageId,
  messageParameter,
  type ContextReader,
} from './dispatch/calls/parameter-decorators.js';
export { MessageContext } from './dispatch/calls/message-context.js';
export type { MessageInterceptor } from './dispatch/calls/message-interceptor.js';
export { MessageLogInterceptor } from './observability/logs/message-log.interceptor.js';
export type { MessagePipe, PayloadTransform } from './dispatch/calls/message-pipe.js';
export type { OutboundMessage, Publisher } from '@gatehouse/protocol';
export type { InboundMessage } from './protocol/envelope.js';

// The contract
export { Reply, type ReplyDecorator, type ReplyOptions } from './contract/reply.js';
export { Emits } from './contract/emits.js';
export type { Answer, DeclaredType, ValueOf } from './contract/declared-type.js';
export { contractOf } from './contract-of.js';
export type { ContractFiles } from './contract/contract-files.js';
export type {
  ChannelNameOf,
  ContractShape,
  EventData,
  EventType,
  PublicationOf,
} from './protocol/declared-contract.js';

// Errors
export { GatehouseError, type ErrorExtras } from './protocol/gatehouse-error.js';
export type { ErrorCode } from '@gatehouse/protocol';
export type { CloseName } from '@gatehouse/protocol';

// Permissions
export { Roles } from './access/guards/roles.js';
export { demandRole, demandSignIn, RuleGuard } from './access/guards/rule-guard.js';
export { SignedIn } from './access/guards/signed-in.js';
export type { AccessRules, HandlerReference, SessionCheck, SessionGuard } from './access/guards/session-guard.js';
export { sessionOf } from './access/guards/session-of.js';
export { MessageCost } from './access/limits/message-cost.js';
export { ReplayProtected } from './access/guards/replay-protected.js';
export { ReplayProtection } from './dispatch/calls/replay-protection.js';
export { Bans, type BanOrder } from './access/lists/bans.js';
export type { Ban } from './cluster/ports/ban-store.js';
export { RevocationOrders } from './access/lists/revocation-orders.js';
export { Revocations } from './access/lists/revocations.js';
export { SessionTermination } from './access/session-termination.js';
export { TokenRenewal } from './access/token-renewal.js';

// Sessions
export { Session, type SessionId } from './sessions/session.js';
export { SessionEvents } from './sessions/session-events.js';
export { SessionRegistry } from './sessions/session-registry.js';
export type { Capabilities, Capability, Principal } from './authentication/principal.js';

// Sending to other clients
export { Broadcaster } from './broadcast/broadcaster.js';
export { Audience } from './broadcast/audience.js';
export { ClusterSessions, type SessionPage, type SessionQuery } from './broadcast/cluster-sessions.js';
export type { SessionDetail, SessionSummary } from './broadcast/session-summary.js';

// Channels
export { SubscriptionReview } from './channels/subscription-review.js';
export { Channels } from './channels/channels.js';
export type { ChannelState, StateChangeOptions, StateValue } from './channels/state/channel-state.js';
export type { StateSnapshot } from './channels/state/state-channel.js';
export type { StateAnswer, StateChanges } from './channels/state/state-order.js';
export { StateRequests, type ClientStateChange, type StatePageReply } from './channels/state/state-requests.js';
export type { Box } from './channels/state/area-grid.js';
export type { AreaView, CellsPart, CellSnapshot, Grid, SizedView } from './channels/state/areas.js';
export type { MemberList } from './channels/presence/presence-tracker.js';
export type { Subscribed, SubscribeOptions } from './channels/subscribe-options.js';
export {
  ChannelRequests,
  type ClientHistoryQuery,
  type ClientMessage,
  type ClientPublication,
  type Sized,
} from './channels/channel-requests.js';
export { UnknownNamespace, type Channel } from './channels/channel.js';
export { BeforePublish, BeforeSubscribe, type ChannelRequest } from './channels/channel-hooks.js';
export type { Origin, PublishOptions, PublishRequest } from './channels/publish-request.js';
export type { ShownPublication } from './channels/recovery/recovery-reply.js';
export type { History, HistoryQuery, Position, Publication, Published } from './cluster/ports/broker.js';
export type { Presence } from './cluster/ports/presence-store.js';
export type { Namespace } from '../config/namespaces.js';
