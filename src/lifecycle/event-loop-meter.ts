import type { RecordableHistogram } from 'node:perf_hooks';
import { BUSY_TICK_MS, EventLoopLag, IDLE_TICK_MS } from './event-loop-lag.js';

/** The share of a processor below which the process is idle. */
const IDLE_PROCESSOR = 0.05;

export interface ProcessSample {
  /** On the performance.now() clock. */
  readonly takenAt: number;
  /** The event-loop lag since the last sample. */
  readonly lagMs: number;
  /** Share of one core since the last sample; more than 1 if several cores were busy. */
  readonly processor: number;
}

/** Samples how busy this process is. Its event loop is looked at more often while it is busy. */
export class EventLoopMeter {
  private readonly eventLoop = new EventLoopLag();
  private processorTime = process.cpuUsage();
  private sampledAt = performance.now();

  /** How late the event loop was at each look, in nanoseconds. Its reader resets it. */
  get delays(): RecordableHistogram {
    return this.eventLoop.delays;
  }

  start(): void {
    this.eventLoop.start();
  }

  stop(): void {
    this.eventLoop.stop();
  }

  sample(): ProcessSample {
    const takenAt = performance.now();
    const elapsedMs = takenAt - this.sampledAt;
    const processorTime = process.cpuUsage();
    const user = processorTime.user - this.processorTime.user;
    const system = processorTime.system - this.processorTime.system;
    this.processorTime = processorTime;
    this.sampledAt = takenAt;
    // Processor time is reported in microseconds.
    const processor = elapsedMs > 0 ? (user + system) / 1_000 / elapsedMs : 0;
    return { takenAt, processor, lagMs: this.eventLoop.take(processor < IDLE_PROCESSOR ? IDLE_TICK_MS : BUSY_TICK_MS) };
  }
}
