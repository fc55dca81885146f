import type { MessageRate } from '../../access/limits/message-rate.js';
import { RateAbuse } from '../../access/limits/rate-abuse.js';
import { TokenBucket } from '../../access/limits/token-bucket.js';
import type { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import type { Dispatcher } from '../dispatcher.js';

/**
 * Messages over the rate that are read for each session, so that the error has their `id`. As many as the default
 * message rate.
 */
const READS = { rate: 100, burst: 200 };
/** Bytes that one of these tokens pays for: decoding a kilobyte takes a few microseconds. */
const READ_BYTES = 4_096;
/** Refusals are collected for this long for one summary. */
const SUMMARY_MS = 1_000;

interface Sender {
  readonly session: Session;
  readonly rate: MessageRate;
}

interface OverRateContext {
  readonly dispatcher: Dispatcher;
  readonly events: SessionEvents;
  /** 0: never. */
  readonly abuseBanAfter: number;
  onAbuse(): void;
}

/**
 * The messages of one session over its rate. A flood must not cost more when it is refused than when it is handled. So
 * beyond a rate of their own, these messages are dropped without being read, and one summary a second has their number.
 */
export class OverRate {
  private readonly reads = new TokenBucket(READS);
  private readonly abuse: RateAbuse | undefined;
  private messages = 0;
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly sender: Sender,
    private readonly context: OverRateContext,
  ) {
    if (context.abuseBanAfter > 0) this.abuse = new RateAbuse(context.abuseBanAfter);
  }

  /**
   * Whether a message is refused by its frame alone; otherwise it is read.
   *
   * @param now on the clock of the message rates
   */
  refusesUnread(bytes: number, now: number): boolean {
    if (this.payRead(bytes, now)) return false;
    const { dispatcher, events } = this.context;
    this.messages += 1;
    this.bytes += bytes;
    this.timer ??= setTimeout(() => this.summarize(), SUMMARY_MS).unref();
    dispatcher.countUnread(bytes);
    events.emit('unhandled', 'over_rate', 1);
    this.refused(now);
    return true;
  }

  /** A message was read and refused. */
  refused(now: number): void {
    if (this.abuse?.refused(now)) this.context.onAbuse();
  }

  /**
   * It was within the rate until its type was known, and got its tokens back. It keeps them only if reading it is paid
   * for.
   */
  refusedAsDear(bytes: number, { now, tokens }: { readonly now: number; readonly tokens: number }): void {
    if (!this.payRead(bytes, now)) this.sender.rate.charge(now, tokens);
    this.refused(now);
  }

  /** No summary can be sent any more. */
  end(): void {
    clearTimeout(this.timer);
  }

  private payRead(bytes: number, now: number): boolean {
    return this.reads.take(now, Math.max(1, Math.ceil(bytes / READ_BYTES))) === 0;
  }

  private summarize(): void {
    const { messages, bytes, sender, context } = this;
    this.timer = undefined;
    this.messages = 0;
    this.bytes = 0;
    const retryAfter = sender.rate.waitFor(performance.now(), 1);
    context.dispatcher.refuseUnread(sender.session, { messages, bytes, retryAfter });
  }
}
