import { EventEmitter } from 'node:events';
import type { Principal } from '../authentication/principal.js';
import type { CloseName, ServerMessage } from '@gatehouse/protocol';
import type { OverflowReason } from '../socket/outbound-budget.js';
import type { ShedReason } from '../socket/outbound-observer.js';
import type { Session } from './session.js';

/** About thirty stages and observers, and the taps of operators, at most 32. */
const MOST_LISTENERS = 70;

/**
 * Why complete messages were not handled: the server closed the connection or drained; the connection broke without a
 * close; the client had closed and an earlier handler never replied; or they were so far over the rate that they were
 * refused without being read.
 */
export const UNHANDLED_REASONS = [
  'closed_by_server',
  'draining',
  'connection_lost',
  'unanswered',
  'over_rate',
] as const;
export type UnhandledReason = (typeof UNHANDLED_REASONS)[number];

interface SessionEventMap {
  opened: [session: Session];
  /** `code` is 1006 if the client stopped responding. The session is no longer in the registry. */
  closed: [session: Session, code: number, reason: string];
  /** A session has a new principal of the same user, instead of `former`: from a new token, or with other rights. */
  renewed: [session: Session, former: Principal];
  /** The client sent a new, valid token. */
  refreshed: [session: Session, former: Principal];
  /** One encoded frame of this size was queued for this many sessions. */
  sent: [type: string, bytes: number, sessions: number, message: ServerMessage, frame: Buffer];
  /** Frames were dropped because a reader was too slow. */
  overflowed: [session: Session, reason: OverflowReason, droppedFrames: number];
  /** Frames were dropped by the policy of their channel, because a reader was slow or they had expired. */
  shed: [reason: ShedReason, droppedFrames: number];
  /** Complete messages were dropped. */
  unhandled: [reason: UnhandledReason, messages: number];
  /** A client recovered a channel: it got all missed publications, or was told what is lost. */
  recovered: [result: 'recovered' | 'gap'];
  /** A repetition of a protected message got the first reply. */
  repeated: [type: string];
  /** The first session of a user joined a channel whose namespace has presence. On several nodes, one emits it. */
  joined: [channel: string, userId: string];
  /** The last session of a user left the channel, or was lost with its node. On several nodes, one emits it. */
  left: [channel: string, userId: string];
  /** A channel has its first subscriber on this node. May be repeated. */
  occupied: [channel: string];
  /** No session of this node has been subscribed to the channel for a while. */
  vacated: [channel: string];
  /** A session lost a subscription, or its presence events, because its rights do not allow it any more. */
  dropped: [session: Session, channel: string, lost: 'channel' | 'presence'];
  /** Application code that was asked about a session threw an unexpected error. */
  crashed: [where: string, exception: unknown];
  /** A ping was answered, in milliseconds. */
  roundTrip: [milliseconds: number];
  /** The client broke a rule of the protocol; its connection is closing. */
  breached: [session: Session, name: CloseName];
  /** The heartbeat disconnected a silent client. */
  vanished: [session: Session];
}

/** Events of sessions, for the stages above and for observers. Listeners must not throw. */
export class SessionEvents extends EventEmitter<SessionEventMap> {
  constructor() {
    super();
    // Each listens once. This is not a leak, although Node warns above ten listeners.
    this.setMaxListeners(MOST_LISTENERS);
  }
}
