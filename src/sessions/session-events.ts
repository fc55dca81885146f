import { EventEmitter } from 'node:events';
import type { OverflowReason } from '../socket/outbound-budget.js';
import type { ShedReason } from '../socket/outbound-queue.js';
import type { Session } from './session.js';

interface SessionEventMap {
  opened: [session: Session];
  /** `code` is 1006 where the client vanished. The session is out of the registry by now. */
  closed: [session: Session, code: number, reason: string];
  /** One encoded frame of so many bytes was queued for so many sessions. */
  sent: [type: string, bytes: number, sessions: number];
  /** Frames were dropped because a reader was too slow. */
  overflowed: [session: Session, reason: OverflowReason, droppedFrames: number];
  /** Frames were dropped as their channel's policy wants it, for a reader was slow or they came too late. */
  shed: [reason: ShedReason, droppedFrames: number];
  /** A client came back to a channel: it got all it had missed, or was told what is lost. */
  recovered: [result: 'recovered' | 'gap'];
  /** A ping was answered, in milliseconds. */
  roundTrip: [milliseconds: number];
  /** The heartbeat gave a silent client up. */
  vanished: [session: Session];
}

/** What happens to sessions, for the stages above and for observers. Listeners must not throw. */
export class SessionEvents extends EventEmitter<SessionEventMap> {}
