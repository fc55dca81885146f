import type { HelloReply } from '@gatehouse/protocol';
import type { Clock } from './environment.js';
import { Timers } from './timers.js';

/** The share of the server's rate that is used: the rest is for pings, and for clocks that differ. */
const SHARE = 0.8;

/** Keeps a client below the message rate that the server told it, also when much has waited. */
export class Pace {
  private readonly timers: Timers;
  private perMs = 0;
  private burst = 0;
  private tokens = 0;
  private filledAt = 0;

  constructor(
    private readonly clock: Clock,
    private readonly onMore: () => void,
  ) {
    this.timers = new Timers(clock);
  }

  reset(limits: HelloReply['limits'] | undefined): void {
    this.stop();
    this.perMs = (SHARE * (limits?.messageRate ?? 0)) / 1_000;
    this.burst = Math.max(1, SHARE * (limits?.messageBurst ?? 0));
    this.tokens = this.burst;
    this.filledAt = this.clock.elapsed();
  }

  /** Whether a message may go now. If not, `onMore` is called when the next one may. */
  take(): boolean {
    if (this.perMs === 0) return true;
    const now = this.clock.elapsed();
    this.tokens = Math.min(this.burst, this.tokens + (now - this.filledAt) * this.perMs);
    this.filledAt = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return true;
    }
    if (!this.timers.has('more')) this.timers.set('more', Math.ceil((1 - this.tokens) / this.perMs), this.onMore);
    return false;
  }

  stop(): void {
    this.timers.clearAll();
  }
}
