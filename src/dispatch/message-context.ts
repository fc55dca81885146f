import type { InboundMessage } from '../protocol/envelope.js';
import type { Session } from '../sessions/session.js';

/** One message on its way through: the third argument that Nest's enhancers find in their context. */
export class MessageContext {
  constructor(
    readonly session: Session,
    readonly message: InboundMessage,
  ) {}

  get type(): string {
    return this.message.type;
  }
}
