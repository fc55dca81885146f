import { Inject, Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { EngineLink } from '../../cluster/ports/engine-link.js';
import { LoadMeter } from '../../lifecycle/load-meter.js';
import { Readiness } from '../../lifecycle/readiness.js';
import { AnomalyReport, type ActiveAnomaly } from '../anomalies/anomaly-report.js';
import { MessageTallies } from '../metrics/message-tallies.js';
import { ActivityRing, type ActivitySeries } from './activity-ring.js';

/** Samples of the load meter, which takes two a second, in one step. */
const SAMPLES_A_STEP = 10;
const STEP_MS = 5_000;
/** Ten minutes. */
const KEPT_STEPS = 120;

/** The state of a node, and what it did in the last ten minutes. */
export interface ActivityReport {
  readonly state: 'starting' | 'ready' | 'overloaded' | 'draining';
  readonly engine: 'memory' | 'redis';
  /** Whether the engine answers and takes commands. Always true in the memory of this process. */
  readonly isEngineUp: boolean;
  readonly anomalies: readonly ActiveAnomaly[];
  /** Milliseconds between two values of a series. */
  readonly stepMs: number;
  readonly series: ActivitySeries;
}

/** Keeps ten minutes of rates in memory, so that operators see what has just happened without a database. */
@Injectable()
export class NodeActivity implements OnModuleInit {
  private readonly ring = new ActivityRing(KEPT_STEPS);
  private samples = 0;
  private steppedAt = performance.now();
  private before = { received: 0, sent: 0, errors: 0 };

  constructor(
    private readonly meter: LoadMeter,
    private readonly readiness: Readiness,
    private readonly tallies: MessageTallies,
    @Inject(EngineLink) private readonly link: EngineLink | undefined,
    @Optional() private readonly anomalies?: AnomalyReport,
  ) {}

  onModuleInit(): void {
    this.meter.on('measured', () => {
      this.samples += 1;
      if (this.samples % SAMPLES_A_STEP === 0) this.step(performance.now());
    });
  }

  read(): ActivityReport {
    const { link } = this;
    return {
      state: this.readiness.fault ?? 'ready',
      engine: link?.engine === 'redis' ? 'redis' : 'memory',
      isEngineUp: link === undefined || (link.isUp && link.faults.length === 0),
      anomalies: this.anomalies?.active ?? [],
      stepMs: STEP_MS,
      series: this.ring.series,
    };
  }

  private step(now: number): void {
    const { load } = this.meter;
    const seconds = (now - this.steppedAt) / 1_000;
    const total = {
      received: sumOf(this.tallies.received),
      sent: sumOf(this.tallies.sent),
      errors: this.tallies.errors,
    };
    const rate = (name: keyof typeof total): number =>
      Math.round(((total[name] - this.before[name]) / seconds) * 10) / 10;
    this.ring.add({
      sessions: load.sessions,
      received: rate('received'),
      sent: rate('sent'),
      errors: rate('errors'),
      lagMs: Math.round(this.meter.worstLagMs(this.steppedAt) * 10) / 10,
      queuedBytes: load.bufferedBytes,
    });
    this.before = total;
    this.steppedAt = now;
  }
}

function sumOf(counts: Iterable<readonly [label: string, count: number]>): number {
  let sum = 0;
  for (const [, count] of counts) sum += count;
  return sum;
}
