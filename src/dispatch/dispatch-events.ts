import { EventEmitter } from 'node:events';
import type { Session } from '../sessions/session.js';

interface DispatchEventMap {
  /** A whole message came. `type` is `unknown` unless a handler is registered for it, so that it is safe as a label. */
  received: [type: string, bytes: number];
  /** A message was answered; milliseconds from arrival. */
  handled: [type: string, milliseconds: number];
  /** A message was answered with an error. `type` is `unknown` where it had none that could be read. */
  failed: [code: string, session: Session, type: string];
  /** A handler, hook or filter threw what it should not have. */
  crashed: [where: string, exception: unknown];
}

/** What happens to messages, for observers. Listeners must not throw. */
export class DispatchEvents extends EventEmitter<DispatchEventMap> {
  /** Tells of a crash. An application may throw anything, also what a log cannot write: that must not throw again. */
  crash(where: string, exception: unknown): void {
    try {
      this.emit('crashed', where, exception);
    } catch {
      this.emit('crashed', where, new Error('Something was thrown that cannot be logged'));
    }
  }
}
