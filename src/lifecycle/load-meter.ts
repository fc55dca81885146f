import { Inject, Injectable, type OnApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { EventEmitter } from 'node:events';
import type { RecordableHistogram } from 'node:perf_hooks';
import type { NodeLoad } from '../cluster/ports/node-registry.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { OutboundContext } from '../socket/outbound-context.js';
import { EventLoopMeter } from './event-loop-meter.js';
import type { LifecycleSettings } from './lifecycle-settings.js';

/** How often the load is measured. */
export const SAMPLE_MS = 500;
/**
 * The weight of the newest sample in reported values: a burst shows within a second, and a single stall soon
 * disappears.
 */
const WEIGHT = 0.5;
/** Samples that are kept for rare readers, such as a probe: half a minute. */
const KEPT_SAMPLES = 60;

interface LagSample {
  readonly takenAt: number;
  readonly lagMs: number;
}

interface LoadMeterEvents {
  /** A sample was taken. */
  measured: [];
}

/** Measures the load of this node, twice a second. */
@Injectable()
export class LoadMeter extends EventEmitter<LoadMeterEvents> implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly meter = new EventLoopMeter();
  private readonly recent: LagSample[] = [];
  private timer: NodeJS.Timeout | undefined;
  private smoothLagMs = 0;
  private processor = 0;

  constructor(
    @Inject(Settings) private readonly settings: LifecycleSettings,
    private readonly outbound: OutboundContext,
    private readonly sessions: SessionRegistry,
  ) {
    super();
  }

  get load(): NodeLoad {
    return {
      sessions: this.sessions.size,
      maxSessions: this.settings.connections.max,
      eventLoopLagMs: Math.round(this.smoothLagMs * 10) / 10,
      bufferedBytes: this.outbound.budget.waiting,
      processor: Math.round(this.processor * 1_000) / 1_000,
    };
  }

  /** The event-loop lag of the last half second. */
  get lagMs(): number {
    return this.recent.at(-1)?.lagMs ?? 0;
  }

  /** How late the event loop was at each look, in nanoseconds. Its reader resets it. */
  get eventLoopDelays(): RecordableHistogram {
    return this.meter.delays;
  }

  /** The event-loop lag of each of the last half seconds, of half a minute at most. */
  get recentLagsMs(): readonly number[] {
    return this.recent.map(({ lagMs }) => lagMs);
  }

  onApplicationBootstrap(): void {
    this.meter.start();
    this.timer = setInterval(() => this.measure(), SAMPLE_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.meter.stop();
    this.removeAllListeners();
  }

  /**
   * The worst event-loop lag of the half seconds that ended after a moment, of half a minute at most.
   *
   * @param since on the clock of `performance.now()`
   */
  worstLagMs(since: number): number {
    return Math.max(0, ...this.recent.filter(({ takenAt }) => takenAt > since).map(({ lagMs }) => lagMs));
  }

  private measure(): void {
    const { takenAt, lagMs, processor } = this.meter.sample();
    this.recent.push({ takenAt, lagMs });
    if (this.recent.length > KEPT_SAMPLES) this.recent.shift();

    this.smoothLagMs += WEIGHT * (lagMs - this.smoothLagMs);
    this.processor += WEIGHT * (processor - this.processor);
    this.outbound.compression.observeProcessor(this.processor);
    this.emit('measured');
  }
}
