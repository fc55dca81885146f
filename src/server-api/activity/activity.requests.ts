import { ApiProperty } from '@nestjs/swagger';
import type { ActivityReport } from '../../observability/activity/node-activity.js';
import type { ActivitySeries } from '../../observability/activity/activity-ring.js';
import { ANOMALIES, type ActiveAnomaly, type AnomalyKind } from '../../observability/anomalies/anomaly-report.js';

const NUMBERS = { type: 'array', items: { type: 'number' } } as const;

class ActiveAnomalyAnswer implements ActiveAnomaly {
  @ApiProperty({ enum: Object.keys(ANOMALIES) })
  kind!: AnomalyKind;

  /** Milliseconds since 1970 @example 1795363200000 */
  since!: number;

  /** The value at the start @example 1240 */
  value!: number;

  /** @example 1000 */
  limit!: number;
}

class ActivitySeriesAnswer implements ActivitySeries {
  /** Open sessions */
  @ApiProperty({ ...NUMBERS, example: [1204, 1207] })
  sessions!: readonly number[];

  /** Messages from clients in a second */
  @ApiProperty({ ...NUMBERS, example: [310.2, 298.4] })
  received!: readonly number[];

  /** Messages to clients in a second */
  @ApiProperty({ ...NUMBERS, example: [4120, 3987.6] })
  sent!: readonly number[];

  /** Error replies in a second */
  @ApiProperty({ ...NUMBERS, example: [0, 0.2] })
  errors!: readonly number[];

  /** The worst event-loop lag, in milliseconds */
  @ApiProperty({ ...NUMBERS, example: [1.2, 1.4] })
  lagMs!: readonly number[];

  /** Bytes that wait for slow readers */
  @ApiProperty({ ...NUMBERS, example: [0, 0] })
  queuedBytes!: readonly number[];
}

export class NodeActivityAnswer implements ActivityReport {
  /** @example node-1 */
  nodeId!: string;

  @ApiProperty({ enum: ['starting', 'ready', 'overloaded', 'draining'] })
  state!: ActivityReport['state'];

  @ApiProperty({ enum: ['memory', 'redis'] })
  engine!: ActivityReport['engine'];

  /** Whether the engine answers and takes commands; always true in memory */
  isEngineUp!: boolean;

  /** Anomalies that last, the oldest first */
  @ApiProperty({ type: [ActiveAnomalyAnswer] })
  anomalies!: readonly ActiveAnomalyAnswer[];

  /** Milliseconds between two values of a series @example 5000 */
  stepMs!: number;

  /** The last ten minutes, the oldest value first; shorter after a start */
  series!: ActivitySeriesAnswer;
}

export class ActivityAnswer {
  /** Sorted by node */
  @ApiProperty({ type: [NodeActivityAnswer] })
  nodes!: readonly NodeActivityAnswer[];

  /** Nodes that did not answer @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}
