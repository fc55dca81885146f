import type { InboundMessage } from '../../protocol/envelope.js';
import type { PayloadCipher } from '../../protocol/encryption/payload-cipher.js';
import type { Session } from '../../sessions/session.js';

/** Told by a message that the next one of its connection may begin. */
export interface Predecessor {
  letNextBegin(): void;
  chargeReply(bytes: number): void;
}

/** One message on its way through: the third argument that Nest's enhancers find in their context. */
export class MessageContext {
  private steps: (() => void)[] | undefined;
  private isReplied = false;
  /**
   * What the message was encrypted with; undefined where it came in plain. Whatever of it goes on to others has to be encrypted
   * too, or a client without a key could have what it has overheard decrypted.
   */
  cipher: PayloadCipher | undefined;
  /** What it was answered with: `ok`, or the code of an error. */
  outcome = 'ok';
  /** What the answer has as `trace`: the span of this message, where it is recorded. */
  trace: string | undefined;

  constructor(
    readonly session: Session,
    readonly message: InboundMessage,
    /** The size of the whole message as it came. */
    readonly bytes: number,
    /** On the performance.now() clock. */
    readonly arrivedAt: number,
    private readonly predecessor?: Predecessor,
  ) {}

  get type(): string {
    return this.message.type;
  }

  /** Has something done once the message has been answered: what must not come to the client before the reply. */
  afterReply(step: () => void): void {
    // A handler that took too long has been answered for.
    if (this.isReplied) step();
    else (this.steps ??= []).push(step);
  }

  /**
   * What this message changes is on its way and cannot be overtaken any more: the connection's next message may begin,
   * although this one is not answered yet. Answers keep their order. For handlers that wait for something far away.
   */
  letNextBegin(): void {
    this.predecessor?.letNextBegin();
  }

  /**
   * Charges the sender's message rate for the size of the reply: one token for each `REPLY_COST_BYTES`, the first of which the
   * request has paid. Call it in handlers whose reply can be much larger than the request. If the sender lacks the tokens, its next
   * messages wait for them or are refused.
   *
   * @param bytes about how large the reply is
   */
  chargeReply(bytes: number): void {
    this.predecessor?.chargeReply(bytes);
  }

  /** @internal the dispatcher has answered */
  replied(): void {
    this.isReplied = true;
    for (const step of this.steps ?? []) step();
    this.steps = undefined;
  }
}
