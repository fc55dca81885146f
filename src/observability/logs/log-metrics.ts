import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { LOG_LINES } from './log-lines.js';
import { LogOutput } from './log-output.js';
import { Logs } from './logs.js';
import { METRIC } from '../metrics/metrics.js';
import { pulledCounters } from '../metrics/pulled-metric.js';

/** Shown from the first scrape, because a series that begins with 1 has no increase. */
const NOTHING_LEFT_OUT = Object.keys(LOG_LINES).map((kind) => [kind, 0] as const);

/** Metrics of the log itself. */
export const logMetrics: Provider[] = [
  {
    provide: getToken(METRIC.logLeftOut),
    inject: [Logs],
    useFactory: (logs: Logs) =>
      pulledCounters(
        { name: METRIC.logLeftOut, help: 'Log lines omitted because there were too many of their kind', label: 'kind' },
        () => new Map([...NOTHING_LEFT_OUT, ...logs.leftOut]),
      ),
  },
  {
    provide: getToken(METRIC.logFailures),
    inject: [LogOutput],
    useFactory: ({ failures }: LogOutput) =>
      pulledCounters(
        {
          name: METRIC.logFailures,
          help: 'Failed writes of log lines, such as on a full disk, by output',
          label: 'output',
        },
        () => failures,
      ),
  },
  {
    provide: getToken(METRIC.logLost),
    inject: [LogOutput],
    useFactory: ({ lost }: LogOutput) =>
      pulledCounters(
        {
          name: METRIC.logLost,
          help: 'Log lines lost because too many were waiting to be written, by output',
          label: 'output',
        },
        () => lost,
      ),
  },
];
