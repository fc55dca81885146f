import { Inject, Injectable } from '@nestjs/common';
import { ACCESS_SETTINGS, type AccessSettings } from './access-settings.js';
import type { AddressRecord } from './address-book.js';
import { TokenBucket } from './token-bucket.js';

/** How fast one session may send: its own bucket, and the one of its address. */
export class MessageRate {
  constructor(
    private readonly own: TokenBucket | undefined,
    private readonly ofAddress: TokenBucket | undefined,
  ) {}

  /** Takes a token for one message of both buckets, or of none. Returns 0, or the milliseconds to wait. */
  take(now: number): number {
    const wait = Math.max(this.own?.waitFor(now) ?? 0, this.ofAddress?.waitFor(now) ?? 0);
    if (wait > 0) return wait;
    this.own?.take(now);
    this.ofAddress?.take(now);
    return 0;
  }
}

@Injectable()
export class MessageRates {
  /** Whether a message over the rate is answered with an error, or waits for its token. */
  readonly mode: AccessSettings['messages']['rateLimitMode'];
  private readonly limit: { readonly rate: number; readonly burst: number };

  constructor(@Inject(ACCESS_SETTINGS) { messages }: AccessSettings) {
    this.mode = messages.rateLimitMode;
    this.limit = { rate: messages.rate, burst: messages.burst === 0 ? messages.rate : messages.burst };
  }

  /** The rate of a new session. */
  of(address: AddressRecord): MessageRate {
    const own = this.limit.rate > 0 ? new TokenBucket(this.limit, performance.now()) : undefined;
    return new MessageRate(own, address.messageBucket);
  }
}
