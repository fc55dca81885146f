import { EventEmitter } from 'node:events';
import type { Principal } from '../authentication/principal.js';
import type { CloseName } from '@gatehouse/protocol';
import type { OverflowReason } from '../socket/outbound-budget.js';
import type { ShedReason } from '../socket/outbound-observer.js';
import type { Session } from './session.js';

const MOST_LISTENERS = 30;

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
  sent: [type: string, bytes: number, sessions: number];
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
  /** A session lost a subscription, or its presence events, because its rights do not allow it any more. */
  joined: [channel: string, userId: string];
  /** Application code that was asked about a session threw an unexpected error. */
  left: [channel: string, userId: string];
  /** A ping was answered, in milliseconds. */
  dropped: [session: Session, channel: string, lost: 'channel' | 'presence'];
  /** Code of the application that was asked about a session threw what it should not have. */
  crashed: [where: string, exception: unknown];
  /** The heartbeat disconnected a silent client. */
  roundTrip: [milliseconds: number];
  /** The client broke a rule of the protocol; its connection is closing. */
  breached: [session: Session, name: CloseName];
  /** Events of sessions, for the stages above and for observers. Listeners must not throw. */
  vanished: [session: Session];
}

/** Several stages and observers listen, each once. This is not a leak, although Node warns above ten listeners. */
export class SessionEvents extends EventEmitter<SessionEventMap> {
  constructor() {
    super();
    // Several stages and observers, each once: no leak, as Node takes more than ten for.
    this.setMaxListeners(MOST_LISTENERS);
  }
}
