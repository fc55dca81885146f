import { EventEmitter } from 'node:events';
import type { Principal } from '../authentication/principal.js';
import type { CloseName } from '@gatehouse/protocol';
import type { OverflowReason } from '../socket/outbound-budget.js';
import type { ShedReason } from '../socket/outbound-observer.js';
import type { Session } from './session.js';

const MOST_LISTENERS = 30;

/**
 * Why messages that came whole were not handled: the server closed the connection, or was letting it go in a drain; it broke
 * without a close; the client had closed and a handler before them never answered; or they were so far over the rate that they
 * were refused without being read.
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
  /** `code` is 1006 if the client stopped responding. The session is out of the registry by now. */
  closed: [session: Session, code: number, reason: string];
  /** A session has a fresh principal of the same user, in the place of `former`: of a new token, or with other rights. */
  renewed: [session: Session, former: Principal];
  /** The client brought a new token, which is good. */
  refreshed: [session: Session, former: Principal];
  /** One encoded frame of so many bytes was queued for so many sessions. */
  sent: [type: string, bytes: number, sessions: number];
  /** Frames were dropped because a reader was too slow. */
  overflowed: [session: Session, reason: OverflowReason, droppedFrames: number];
  /** Frames were dropped as their channel's policy wants it, for a reader was slow or they came too late. */
  shed: [reason: ShedReason, droppedFrames: number];
  /** Messages that came whole were dropped. */
  unhandled: [reason: UnhandledReason, messages: number];
  /** A client came back to a channel: it got all it had missed, or was told what is lost. */
  recovered: [result: 'recovered' | 'gap'];
  /** A protected message that had been carried out before was answered as it was then. */
  repeated: [type: string];
  /** The first session of a user came to a channel whose namespace has presence. On several nodes, one tells. */
  joined: [channel: string, userId: string];
  /** The last session of a user left the channel, or was given up with its node. On several nodes, one tells. */
  left: [channel: string, userId: string];
  /** A session lost a subscription, or the presence events of one, for its rights do not allow it any more. */
  dropped: [session: Session, channel: string, lost: 'channel' | 'presence'];
  /** Code of the application that was asked about a session threw what it should not have. */
  crashed: [where: string, exception: unknown];
  /** A ping was answered, in milliseconds. */
  roundTrip: [milliseconds: number];
  /** The client broke a rule of the protocol; its connection is closing. */
  breached: [session: Session, name: CloseName];
  /** The heartbeat gave a silent client up. */
  vanished: [session: Session];
}

/** What happens to sessions, for the stages above and for observers. Listeners must not throw. */
export class SessionEvents extends EventEmitter<SessionEventMap> {
  constructor() {
    super();
    // Several stages and observers, each once: no leak, as Node takes more than ten for.
    this.setMaxListeners(MOST_LISTENERS);
  }
}
