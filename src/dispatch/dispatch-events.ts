import { EventEmitter } from 'node:events';
import type { CorrelationId } from '@gatehouse/protocol';
import type { Session } from '../sessions/session.js';
import type { MessageContext } from './calls/message-context.js';

/** A message that came to no handler. */
export interface RefusedMessage {
  readonly session: Session;
  /** `unknown` where it had none that could be read. */
  readonly type: string;
  readonly id: CorrelationId | undefined;
  /** What it had as `trace`, whatever that is. */
  readonly trace: string | undefined;
  readonly bytes: number;
}

interface DispatchEventMap {
  /** A whole message came. `type` is `unknown` unless a handler is registered for it, so that it is safe as a label. */
  received: [type: string, bytes: number];
  /** A message was answered; milliseconds from arrival. */
  handled: [type: string, milliseconds: number, context: MessageContext];
  /** A message was answered with an error. `type` is `unknown` where it had none that could be read. */
  failed: [code: string, session: Session, type: string];
  /** One of those that failed was refused before its handler was looked for, or had a payload that could not be decrypted. */
  refused: [code: string, message: RefusedMessage];
  /** An answer was dropped, for its connection had closed. */
  unsent: [];
  /** A handler, hook or filter threw what it should not have; `context` where it was about a message. */
  crashed: [where: string, exception: unknown, context?: MessageContext];
}

/** What happens to messages, for observers. Listeners must not throw. */
export class DispatchEvents extends EventEmitter<DispatchEventMap> {
  /** Tells of a crash. An application may throw anything, also what a log cannot write: that must not throw again. */
  crash(where: string, exception: unknown, context?: MessageContext): void {
    for (const listener of this.listeners('crashed')) {
      try {
        listener(where, exception, context);
      } catch {
        listener(where, new Error('A value was thrown that cannot be logged'), context);
      }
    }
  }
}
