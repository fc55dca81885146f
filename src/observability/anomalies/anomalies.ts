import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { DispatchEvents } from '../../dispatch/dispatch-events.js';
import { heapUse, memoryLimitBytes } from '../../lifecycle/heap.js';
import { LoadMeter } from '../../lifecycle/load-meter.js';
import { UpgradeEvents } from '../../upgrade/upgrade-events.js';
import { ANOMALIES, AnomalyReport, type AnomalyKind } from './anomaly-report.js';
import { AnomalyWatch } from './anomaly-watch.js';
import { MemoryTrend } from './memory-trend.js';

export type AnomalySettings = Settings['anomalies'];

/** Samples of the load meter, which takes two a second, between two checks. */
const SAMPLES_A_LOOK = 2;

/** A kind that is checked. */
interface Lookout {
  readonly kind: AnomalyKind;
  readonly sentence: string;
  readonly watch: AnomalyWatch;
  /** @param lookedAt time of the last check, on the performance.now() clock */
  readonly read: (lookedAt: number, now: number) => number;
}

/** Warns once when a value of this node is unusual, and again when it is normal. Changes nothing. */
@Injectable()
export class Anomalies implements OnModuleInit {
  private readonly settings: AnomalySettings;
  private readonly lookouts: readonly Lookout[];
  private attempts = 0;
  private errors = 0;
  private samples = 0;
  private lookedAt = performance.now();

  constructor(
    @Inject(Settings) { anomalies }: Pick<Settings, 'anomalies'>,
    private readonly report: AnomalyReport,
    private readonly meter: LoadMeter,
    private readonly upgrades: UpgradeEvents,
    private readonly messages: DispatchEvents,
  ) {
    this.settings = anomalies;
    this.lookouts = this.lookoutsOf(anomalies);
  }

  /** Whether any kind is checked. */
  static areWanted(settings: AnomalySettings): boolean {
    const { connectionsPerSecond, errorsPerSecond, backlogBytes, eventLoopLagMs } = settings;
    const { memoryPercent, memoryGrowthPercent, processorPercent } = settings;
    const rates = connectionsPerSecond + errorsPerSecond + backlogBytes;
    return rates + eventLoopLagMs + memoryPercent + memoryGrowthPercent + processorPercent > 0;
  }

  onModuleInit(): void {
    this.report.expect(this.lookouts.map(({ kind }) => kind));
    this.meter.on('measured', () => {
      this.samples += 1;
      if (this.samples % SAMPLES_A_LOOK === 0) this.look(performance.now());
    });
    if (this.settings.connectionsPerSecond > 0) this.countAttempts();
    if (this.settings.errorsPerSecond > 0) this.messages.on('failed', () => (this.errors += 1));
  }

  private countAttempts(): void {
    const count = (): void => void (this.attempts += 1);
    this.upgrades.on('accepted', count);
    this.upgrades.on('refused', count);
    this.upgrades.on('cut', count);
  }

  private look(now: number): void {
    for (const lookout of this.lookouts) this.judge(lookout, lookout.read(this.lookedAt, now), now);
    this.attempts = 0;
    this.errors = 0;
    this.lookedAt = now;
  }

  private judge({ kind, sentence, watch }: Lookout, value: number, now: number): void {
    const news = watch.take(value, now);
    if (news === undefined) return;
    const { limit } = watch;
    if (news.state === 'over') this.report.over({ kind, sentence, limit }, news);
    else this.report.began({ kind, sentence, limit }, value, this.meter.load.sessions);
  }

  private lookoutsOf(settings: AnomalySettings): Lookout[] {
    const { meter } = this;
    const trend = new MemoryTrend(settings.memoryWindowMs);
    const memoryLimit = memoryLimitBytes();
    const of = (kind: AnomalyKind, limit: number, read: Lookout['read']): Lookout => {
      const sentence = kind === 'processor' ? `processor above ${limit} %` : ANOMALIES[kind];
      return { kind, sentence, watch: new AnomalyWatch(limit, settings.holdMs), read };
    };
    return [
      of('connection_storm', settings.connectionsPerSecond, (since, now) => aSecond(this.attempts, now - since)),
      of('error_storm', settings.errorsPerSecond, (since, now) => aSecond(this.errors, now - since)),
      of('backlog', settings.backlogBytes, () => meter.load.bufferedBytes),
      of('memory_climbing', settings.memoryGrowthPercent, (_, now) => trend.take(process.memoryUsage.rss(), now)),
      of('memory', settings.memoryPercent, () =>
        Math.max(heapUse().percent, (process.memoryUsage.rss() / memoryLimit) * 100),
      ),
      of('processor', settings.processorPercent, () => meter.load.processor * 100),
      of('event_loop_lag', settings.eventLoopLagMs, (since) => meter.worstLagMs(since)),
    ].filter(({ watch }) => watch.limit > 0);
  }
}

function aSecond(count: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (count * 1_000) / elapsedMs : 0;
}
