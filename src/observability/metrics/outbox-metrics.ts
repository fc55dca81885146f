import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Gauge } from 'prom-client';
import { OutboxEvents, ROW_OUTCOMES } from '../../outbox/outbox-events.js';
import { METRIC } from './metrics.js';

/** Absent if there is no outbox. */
const SOURCE = { token: OutboxEvents, optional: true };

/** What becomes of the outbox in PostgreSQL. */
export const outboxMetrics: Provider[] = [
  {
    provide: getToken(METRIC.outboxRows),
    inject: [SOURCE],
    useFactory: (events: OutboxEvents | undefined) => {
      const help = 'Rows of the outbox, by outcome';
      const counter = new Counter({ name: METRIC.outboxRows, help, labelNames: ['outcome'], registers: [] });
      for (const outcome of ROW_OUTCOMES) counter.inc({ outcome }, 0);
      events?.on('settled', (outcome, rows) => counter.inc({ outcome }, rows));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.outboxLag),
    inject: [SOURCE],
    useFactory: (events: OutboxEvents | undefined) => {
      const help = 'Age of the oldest row that is not published, on the node that reads the outbox';
      const gauge = new Gauge({ name: METRIC.outboxLag, help, registers: [] });
      events?.on('lag', (seconds) => gauge.set(seconds));
      return gauge;
    },
  },
  {
    provide: getToken(METRIC.outboxReading),
    inject: [SOURCE],
    useFactory: (events: OutboxEvents | undefined) => {
      const help = '1 on the node that reads the outbox, otherwise 0';
      const gauge = new Gauge({ name: METRIC.outboxReading, help, registers: [] });
      events?.on('reading', (isReading) => gauge.set(isReading ? 1 : 0));
      return gauge;
    },
  },
  {
    provide: getToken(METRIC.outboxFailures),
    inject: [SOURCE],
    useFactory: (events: OutboxEvents | undefined) => {
      const help = 'Failed attempts to read or publish the outbox';
      const counter = new Counter({ name: METRIC.outboxFailures, help, registers: [] });
      events?.on('failed', () => counter.inc());
      return counter;
    },
  },
];
