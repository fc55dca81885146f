import type { InboundMessage } from '../../protocol/envelope.js';
import type { PayloadCipher } from '../../protocol/encryption/payload-cipher.js';
import type { Session } from '../../sessions/session.js';

/** Called by a message when the next one of its connection may begin. */
export interface Predecessor {
  letNextBegin(): void;
  chargeReply(bytes: number): void;
}

/** One message in progress: the third argument that Nest's enhancers find in their context. */
export class MessageContext {
  private steps: ((isDelivered: boolean) => void)[] | undefined;
  private isReplied = false;
  /**
   * The cipher of an encrypted message; undefined for plain text. Encrypt everything that you pass on from the message.
   * Otherwise a client without a key could have data decrypted that it overheard.
   */
  cipher: PayloadCipher | undefined;
  /** `ok`, or the code of the error reply. */
  outcome = 'ok';
  /** The `trace` of the reply: the span of this message, if it is recorded. */
  trace: string | undefined;

  constructor(
    readonly session: Session,
    readonly message: InboundMessage,
    /** The size of the whole message as received. */
    readonly bytes: number,
    /** On the performance.now() clock. */
    readonly arrivedAt: number,
    private readonly predecessor?: Predecessor,
  ) {}

  get type(): string {
    return this.message.type;
  }

  /**
   * Runs a step after the reply, for anything that must not reach the client before it. The step gets false if the client
   * got an error instead of the reply, such as TIMEOUT.
   */
  afterReply(step: (isDelivered: boolean) => void): void {
    // The handler took too long, and TIMEOUT was sent for it.
    if (this.isReplied) step(false);
    else (this.steps ??= []).push(step);
  }

  /**
   * Lets the next message of the connection begin, although this one has no reply yet. Call it when later messages can
   * no longer interfere with this one. Replies keep their order. For handlers that wait for something slow.
   */
  letNextBegin(): void {
    this.predecessor?.letNextBegin();
  }

  /**
   * Charges the sender's message rate for the size of the reply: one token for each `REPLY_COST_BYTES`, the first of which the
   * request has paid. Call it in handlers whose reply can be much larger than the request. If the sender lacks the tokens, its next
   * messages wait for them or are refused.
   *
   * @param bytes approximate size of the reply
   */
  chargeReply(bytes: number): void {
    this.predecessor?.chargeReply(bytes);
  }

  /** @internal The dispatcher has sent the reply. */
  replied(): void {
    this.isReplied = true;
    for (const step of this.steps ?? []) step(this.outcome === 'ok');
    this.steps = undefined;
  }
}
