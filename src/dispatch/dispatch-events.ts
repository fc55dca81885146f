import { EventEmitter } from 'node:events';
import type { CorrelationId } from '@gatehouse/protocol';
import type { Session } from '../sessions/session.js';
import type { MessageContext } from './calls/message-context.js';

/** A message that reached no handler. */
export interface RefusedMessage {
  readonly session: Session;
  /** `unknown` if it had no readable type. */
  readonly type: string;
  readonly id: CorrelationId | undefined;
  /** The value of its `trace`, whatever it is. */
  readonly trace: string | undefined;
  readonly bytes: number;
}

const MOST_LISTENERS = 50;

interface DispatchEventMap {
  /** A whole message arrived. `type` is `unknown` unless a handler is registered for it, so it is safe as a label. */
  received: [type: string, bytes: number];
  /** A message has its reply, after so many milliseconds from its arrival. */
  handled: [type: string, milliseconds: number, context: MessageContext];
  /** A message got an error. `type` is `unknown` if it had no readable type. */
  failed: [code: string, session: Session, type: string];
  /**
   * An error, as in `failed`, for a message that was refused before its handler was looked up, or whose payload could
   * not be decrypted.
   */
  refused: [code: string, message: RefusedMessage];
  /** A reply was dropped because its connection had closed. */
  unsent: [];
  /** A handler, hook or filter threw an unexpected error; `context` if it was about a message. */
  crashed: [where: string, exception: unknown, context?: MessageContext];
}

/** Events of messages, for observers. Listeners must not throw. */
export class DispatchEvents extends EventEmitter<DispatchEventMap> {
  constructor() {
    super();
    // Observers, and the taps of operators, at most 32. This is not a leak, although Node warns above ten listeners.
    this.setMaxListeners(MOST_LISTENERS);
  }

  /**
   * Reports an unexpected error. An application may throw anything, also a value that cannot be logged; that must not
   * throw again.
   */
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
