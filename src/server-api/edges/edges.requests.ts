import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import type { EdgeEntry } from '../../edge/connected-edges.js';
import type { EdgeReport } from '../../edge/edge-report.js';
import { WholeNumber } from '../http/query-values.js';

const MAX_EDGES = 1_000;

export class EdgesQuery {
  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_EDGES)
  limit?: number;

  /** The `after` of the previous page */
  @IsOptional()
  @IsString()
  @Length(1, 256)
  after?: string;
}

export class EdgeReportAnswer implements EdgeReport {
  /** The version of Gatehouse @example 0.1.0 */
  release!: string;

  /** Milliseconds since 1970, by the clock of the edge @example 1795363200000 */
  startedAt!: number;

  /** @example 24 */
  sessions!: number;

  /** Signed-in users with a session @example 22 */
  users!: number;

  /** Channels with subscribers @example 8 */
  channels!: number;

  /** @example 31 */
  subscriptions!: number;

  /** Messages that wait for the centre @example 0 */
  queuedMessages!: number;

  /** @example 0 */
  queuedBytes!: number;

  /** How long the oldest of them has waited. Absent: nothing waits @example 340000 */
  oldestMs?: number;

  /** Whether its disk takes messages */
  @ApiProperty({ enum: ['ok', 'failed'] })
  store!: EdgeReport['store'];

  /** Messages that the centre has published since the start of the edge @example 48210 */
  forwarded!: number;

  /** Messages that were too old before they reached the centre, since the store was made @example 0 */
  expired!: number;

  /** Messages that were dropped because the store was full @example 0 */
  dropped!: number;

  /** Messages that the centre refused for good @example 0 */
  refused!: number;

  /** Messages that the edge could not read from its disk @example 0 */
  damaged!: number;
}

export class EdgeAnswer implements EdgeEntry {
  /** The `sub` of its token @example line-1 */
  edge!: string;

  isConnected!: boolean;

  /** When it connected, or when its last connection closed, in milliseconds since 1970 @example 1795363200000 */
  since!: number;

  /** When it was last heard, in milliseconds since 1970 @example 1795363260000 */
  seenAt!: number;

  /** The node that holds, or held, its session @example node-1 */
  nodeId!: string;

  /** The session of its newest connection; it has ended if the edge is not connected @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;

  /** @example 203.0.113.7 */
  address!: string;

  /** More than one: several devices use its token @example 1 */
  connections!: number;

  /** What it last said of itself */
  report!: EdgeReportAnswer;
}

export class EdgesAnswer {
  /** Sorted by name */
  @ApiProperty({ type: [EdgeAnswer] })
  edges!: readonly EdgeAnswer[];

  /** Of a full page: pass it to get the next one @example line-9 */
  after?: string;

  /** Nodes that did not answer @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}
