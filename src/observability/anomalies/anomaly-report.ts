import { Injectable } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter, Gauge } from 'prom-client';
import { Logs } from '../logs/logs.js';
import { METRIC } from '../metrics/metrics.js';

/** Every kind, with its text in the log. The texts must not change, because operators search for them. */
export const ANOMALIES = {
  connection_storm: 'connection storm',
  error_storm: 'error storm',
  backlog: 'backlog',
  memory_climbing: 'memory growth',
  memory: 'memory above threshold',
  processor: 'processor above 90 %',
  event_loop_lag: 'event loop lag',
} as const;

export type AnomalyKind = keyof typeof ANOMALIES;

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly sentence: string;
  readonly limit: number;
}

/** An anomaly that has begun and is not over. */
export interface ActiveAnomaly {
  readonly kind: AnomalyKind;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The value at the start. */
  readonly value: number;
  readonly limit: number;
}

/** Reports anomalies: a log line at the start, a log line at the end, and two metrics. */
@Injectable()
export class AnomalyReport {
  private readonly current = new Map<AnomalyKind, ActiveAnomaly>();

  constructor(
    private readonly logs: Logs,
    @InjectMetric(METRIC.anomalyActive) private readonly activity: Gauge,
    @InjectMetric(METRIC.anomalies) private readonly total: Counter,
  ) {}

  /** Those that last, the oldest first. */
  get active(): readonly ActiveAnomaly[] {
    return [...this.current.values()];
  }

  /** The kinds that may occur, so that their metrics exist from the start. */
  expect(kinds: readonly AnomalyKind[]): void {
    for (const kind of kinds) {
      this.activity.set({ kind }, 0);
      this.total.inc({ kind }, 0);
    }
  }

  began({ kind, sentence, limit }: Anomaly, value: number, sessions: number): void {
    this.current.set(kind, { kind, since: Date.now(), value: rounded(value), limit });
    this.activity.set({ kind }, 1);
    this.total.inc({ kind });
    this.logs.of('observability').warn({ anomaly: kind, value: rounded(value), limit, sessions }, sentence);
  }

  over({ kind, sentence, limit }: Anomaly, { durationMs, peak }: { durationMs: number; peak: number }): void {
    this.current.delete(kind);
    this.activity.set({ kind }, 0);
    const line = { anomaly: kind, durationMs: Math.round(durationMs), peak: rounded(peak), limit };
    this.logs.of('observability').info(line, `${sentence} is over`);
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
