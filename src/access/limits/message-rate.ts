import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { AccessEvents } from '../access-events.js';
import type { AccessSettings } from '../access-settings.js';
import type { AddressRecord } from './address-book.js';
import { TokenBucket, type BucketLimit } from './token-bucket.js';

interface MessageRateOptions {
  /** Whether a message over the rate waits for its tokens instead of being answered with an error. */
  readonly waits?: boolean;
  /** What one token brings in a reply that costs by its size; zero: such a reply costs nothing. */
  readonly replyCostBytes?: number;
  readonly events?: AccessEvents;
}

/** Limits the rate of one session by its own bucket and the bucket of its address. */
export class MessageRate {
  readonly waits: boolean;
  private readonly replyCostBytes: number;
  private readonly events: AccessEvents | undefined;

  constructor(
    private readonly own: TokenBucket | undefined,
    private readonly ofAddress: TokenBucket | undefined,
    { waits = false, replyCostBytes = 0, events }: MessageRateOptions = {},
  ) {
    this.waits = waits;
    this.replyCostBytes = replyCostBytes;
    this.events = events;
  }

  /** Takes tokens from both buckets, or from none. Returns 0, or the milliseconds to wait. */
  take(now: number, tokens = 1): number {
    const wait = this.waitFor(now, tokens);
    if (wait > 0) {
      this.events?.emit('overRate', (this.own?.waitFor(now, tokens) ?? 0) === wait ? 'session' : 'address');
      return wait;
    }
    this.charge(now, tokens);
    return 0;
  }

  /**
   * Takes tokens for the size of a reply, even if they are not available. Until they are, further messages of the
   * session are over its rate. The request has already paid for the first token.
   */
  chargeReply(bytes: number, now: number): void {
    if (this.replyCostBytes === 0) return;
    const tokens = Math.ceil(bytes / this.replyCostBytes) - 1;
    if (tokens > 0) this.charge(now, tokens);
  }

  /** Takes tokens even if they are not available. */
  charge(now: number, tokens: number): void {
    this.own?.spend(now, tokens);
    this.ofAddress?.spend(now, tokens);
  }

  /** The milliseconds until both buckets have this many tokens. Takes none. */
  waitFor(now: number, tokens: number): number {
    return Math.max(this.own?.waitFor(now, tokens) ?? 0, this.ofAddress?.waitFor(now, tokens) ?? 0);
  }

  /**
   * Takes more tokens for a message that has taken `taken`. If they are not available, it gets those back: a refused
   * message costs nothing.
   */
  raise(now: number, taken: number, tokens: number): number {
    this.own?.giveBack(taken);
    this.ofAddress?.giveBack(taken);
    return this.take(now, tokens);
  }
}

@Injectable()
export class MessageRates {
  /** The largest cost of a message: the smaller burst. Undefined without a limit. */
  readonly maxCost: number | undefined;
  private readonly limit: BucketLimit;
  private readonly costBytes: number;
  private readonly options: MessageRateOptions;

  constructor(@Inject(Settings) { messages }: AccessSettings, events: AccessEvents) {
    const { rate, burst, ratePerIp, costBytes, replyCostBytes } = messages;
    this.options = { waits: messages.rateLimitMode === 'throttle', replyCostBytes, events };
    this.limit = { rate, burst: burst === 0 ? rate : burst };
    this.costBytes = costBytes;
    const bursts = [...(rate > 0 ? [this.limit.burst] : []), ...(ratePerIp > 0 ? [ratePerIp * 2] : [])];
    this.maxCost = bursts.length > 0 ? Math.min(...bursts) : undefined;
  }

  /** The rate of a new session. */
  of(address: AddressRecord): MessageRate {
    const own = this.limit.rate > 0 ? new TokenBucket(this.limit) : undefined;
    return new MessageRate(own, address.messageBucket(performance.now()), this.options);
  }

  /** The cost of a message by its size. Undefined if it is always 1. */
  get costOfSize(): ((bytes: number) => number) | undefined {
    const { costBytes } = this;
    return costBytes > 0 ? (bytes) => Math.max(1, Math.ceil(bytes / costBytes)) : undefined;
  }
}
