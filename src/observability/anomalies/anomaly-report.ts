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

/** Reports anomalies: a log line at the start, a log line at the end, and two metrics. */
@Injectable()
export class AnomalyReport {
  constructor(
    private readonly logs: Logs,
    @InjectMetric(METRIC.anomalyActive) private readonly active: Gauge,
    @InjectMetric(METRIC.anomalies) private readonly total: Counter,
  ) {}

  /** The kinds that may occur, so that their metrics exist from the start. */
  expect(kinds: readonly AnomalyKind[]): void {
    for (const kind of kinds) {
      this.active.set({ kind }, 0);
      this.total.inc({ kind }, 0);
    }
  }

  began({ kind, sentence, limit }: Anomaly, value: number, sessions: number): void {
    this.active.set({ kind }, 1);
    this.total.inc({ kind });
    this.logs.of('observability').warn({ anomaly: kind, value: rounded(value), limit, sessions }, sentence);
  }

  over({ kind, sentence, limit }: Anomaly, { durationMs, peak }: { durationMs: number; peak: number }): void {
    this.active.set({ kind }, 0);
    const line = { anomaly: kind, durationMs: Math.round(durationMs), peak: rounded(peak), limit };
    this.logs.of('observability').info(line, `${sentence} is over`);
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
