import { ExpiringMap } from '../../cluster/ports/expiring-map.js';
import type { Presence } from '../../cluster/ports/presence-store.js';
import type { Channel } from '../channel.js';

/** The burst, as the time in which it refills. A page that is loaded twice is no abuse. */
const BURST_MS = 4_000;
/** A leave, and the join that can follow it. */
const TOKENS = 2;
/** Users with recent joins and leaves. Beyond it, the oldest one starts with a full burst again. */
const MAX_REMEMBERED = 16_384;

/**
 * How often one user may join and leave one channel. Every subscriber gets each event, so a client that flaps is
 * expensive. A token bucket in one number: the generic cell rate algorithm (ITU-T I.371).
 */
export class PresenceRate {
  private readonly fullAt = new ExpiringMap<number>(BURST_MS, MAX_REMEMBERED);
  private readonly costMs: number;

  /** @param rate joins and leaves a second; 0 means no limit */
  constructor(rate: number) {
    this.costMs = rate === 0 ? 0 : (TOKENS * 1_000) / rate;
  }

  /**
   * Whether a leave may be published now.
   *
   * @param now on the performance.now() clock
   */
  admits({ name }: Channel, { userId }: Presence, now: number): boolean {
    if (this.costMs === 0) return true;
    const key = `${name}\0${userId}`;
    const fullAt = Math.max(now, this.fullAt.get(key) ?? 0) + this.costMs;
    if (fullAt - now > BURST_MS) return false;
    this.fullAt.set(key, fullAt);
    return true;
  }
}
