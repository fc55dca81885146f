import type { RecordableHistogram } from 'node:perf_hooks';
import { EventLoopMeter } from '../lifecycle/event-loop-meter.js';
import { SAMPLE_MS } from '../lifecycle/load-meter.js';

/** The event loop of the primary, measured as that of a worker, for as long as the process lives. */
export class PrimaryLoad {
  /** The event-loop lag of the last half second. */
  lagMs = 0;
  private readonly meter = new EventLoopMeter();

  constructor() {
    this.meter.start();
    setInterval(() => (this.lagMs = this.meter.sample().lagMs), SAMPLE_MS).unref();
  }

  /** How late the event loop was at each look, in nanoseconds. Its reader resets it. */
  get eventLoopDelays(): RecordableHistogram {
    return this.meter.delays;
  }
}
