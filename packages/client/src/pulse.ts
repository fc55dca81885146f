import type { HelloReply } from '@gatehouse/protocol';
import type { Close } from './delays.js';
import type { Clock } from './environment.js';
import { Timers } from './timers.js';

const INTERVAL_MS = 25_000;
const TIMEOUT_MS = 10_000;
const PROBE_MS = 3_000;

export interface PulseEvents {
  /** The other side must give a sign of life. */
  onSilence(): void;
  onClose(close: Close): void;
}

/** Notices a connection that is dead without being closed: silence, then a ping without an answer. */
export class Pulse {
  private readonly _timers: Timers;
  private _timeoutMs = 0;
  private _heardAt = 0;

  constructor(
    private readonly _clock: Clock,
    private readonly _events: PulseEvents,
  ) {
    this._timers = new Timers(_clock);
  }

  start({ intervalMs, timeoutMs }: Partial<HelloReply['heartbeat']> = {}): void {
    this._timeoutMs = timeoutMs || TIMEOUT_MS;
    this._watch(intervalMs || INTERVAL_MS);
  }

  /** Anything that arrives is a sign of life. */
  heard(): void {
    this._heardAt = this._clock.elapsed();
    this._timers.clear('dead');
  }

  /** Asks for a sign of life at once. */
  probe(withinMs = PROBE_MS): void {
    if (!this._timers.has('silence')) return;
    this._events.onSilence();
    this._timers.set('dead', withinMs, () => this._events.onClose({ code: 1006, reason: 'No pong' }));
  }

  stop(): void {
    this._timers.clear();
  }

  private _watch(intervalMs: number, ms = intervalMs): void {
    this._timers.set('silence', ms, () => {
      const restMs = this._heardAt + intervalMs - this._clock.elapsed();
      this._watch(intervalMs, restMs > 0 ? restMs : intervalMs);
      if (restMs <= 0 && !this._timers.has('dead')) this.probe(this._timeoutMs);
    });
  }
}
