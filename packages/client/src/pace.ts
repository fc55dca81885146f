import type { HelloReply } from '@gatehouse/protocol';
import type { Clock } from './environment.js';
import { Timers } from './timers.js';

/** The share of the server's rate that is used: the rest is for pings, and for clocks that differ. */
const SHARE = 0.8;

/** Keeps a client below the message rate that the server told it, also when much has waited. */
export class Pace {
  private readonly _timers: Timers;
  /** Milliseconds for each message at the full rate. 0: there is no limit. */
  private _eachMs = 0;
  private _burstMs = 0;
  /** When all messages so far would have gone, one after the other at the full rate. */
  private _evenAt = 0;

  constructor(
    private readonly _clock: Clock,
    private readonly _onMore: () => void,
  ) {
    this._timers = new Timers(_clock);
  }

  reset({ messageRate, messageBurst }: Partial<HelloReply['limits']> = {}): void {
    this.stop();
    this._eachMs = messageRate ? 1_000 / (SHARE * messageRate) : 0;
    this._burstMs = this._eachMs * Math.max(0, SHARE * (messageBurst ?? 0) - 1);
    this._evenAt = 0;
  }

  /** Whether a message may go now. If not, `onMore` is called when the next one may. */
  take(): boolean {
    const now = this._clock.elapsed();
    const evenAt = Math.max(now, this._evenAt);
    const waitMs = Math.ceil(evenAt - this._burstMs - now);
    if (waitMs > 0) {
      this._timers.set('more', waitMs, this._onMore);
      return false;
    }
    this._evenAt = evenAt + this._eachMs;
    return true;
  }

  stop(): void {
    this._timers.clear();
  }
}
