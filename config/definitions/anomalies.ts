import { bytes, integer, milliseconds } from '../setting.js';

/** When the log warns about unusual values. These settings only warn; limits are set elsewhere. */
export const anomalies = {
  connectionsPerSecond: integer({
    env: 'ANOMALY_CONNECTIONS_PER_S',
    fallback: 500,
    unit: 'attempts a second',
    effect: 'Connection attempts, accepted or refused, above which the log warns of a connection storm. 0 = no check.',
  }),
  errorsPerSecond: integer({
    env: 'ANOMALY_ERRORS_PER_S',
    fallback: 100,
    unit: 'errors a second',
    effect: 'Errors sent to clients above which the log warns of an error storm. 0 = no check.',
  }),
  backlogBytes: bytes({
    env: 'ANOMALY_BACKLOG_BYTES',
    fallback: 67_108_864,
    effect: 'Bytes waiting for slow readers above which the log warns of a backlog. 0 = no check.',
  }),
  memoryPercent: integer({
    env: 'ANOMALY_MEMORY_PERCENT',
    fallback: 80,
    unit: 'percent',
    max: 100,
    effect:
      'Share of the heap limit, or of the memory of the container or machine, above which the log warns. 0 = no check.',
  }),
  memoryGrowthPercent: integer({
    env: 'ANOMALY_MEMORY_GROWTH_PERCENT',
    fallback: 50,
    unit: 'percent',
    max: 100_000,
    effect:
      'Growth of the memory of the process within ANOMALY_MEMORY_WINDOW_MS (and at least 64 MiB) above which the log warns. 0 = no check.',
  }),
  memoryWindowMs: milliseconds({
    env: 'ANOMALY_MEMORY_WINDOW_MS',
    fallback: 600_000,
    min: 20_000,
    effect: 'How far back memory is compared. The check begins when the process is this old.',
  }),
  processorPercent: integer({
    env: 'ANOMALY_PROCESSOR_PERCENT',
    fallback: 90,
    unit: 'percent of a core',
    max: 10_000,
    effect: 'Processor time above which the log warns. 0 = no check.',
  }),
  eventLoopLagMs: milliseconds({
    env: 'ANOMALY_EVENT_LOOP_LAG_MS',
    fallback: 250,
    effect: 'Event-loop lag above which the log warns. 0 = no check.',
  }),
  holdMs: milliseconds({
    env: 'ANOMALY_HOLD_MS',
    fallback: 5_000,
    effect:
      'How long a value must be above its threshold before the log warns, and below four fifths of it before the warning ends. 0 = at once.',
  }),
} as const;
