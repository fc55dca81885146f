import { IsIn, IsInt, IsOptional, Length, Min } from 'class-validator';
import type { EdgeReport } from '../edge-report.js';

/** How an edge is. It says so every five seconds. */
export class EdgeReported implements EdgeReport {
  /** The version of Gatehouse. */
  @Length(1, 64)
  release!: string;

  /** Milliseconds since 1970, by the clock of the edge. */
  @IsInt()
  @Min(0)
  startedAt!: number;

  @IsInt()
  @Min(0)
  sessions!: number;

  /** Signed-in users with a session. */
  @IsInt()
  @Min(0)
  users!: number;

  /** Channels with subscribers. */
  @IsInt()
  @Min(0)
  channels!: number;

  @IsInt()
  @Min(0)
  subscriptions!: number;

  /** Messages that wait for the centre. */
  @IsInt()
  @Min(0)
  queuedMessages!: number;

  @IsInt()
  @Min(0)
  queuedBytes!: number;

  /** How long the oldest of them has waited. Absent: nothing waits. */
  @IsOptional()
  @IsInt()
  @Min(0)
  oldestMs?: number;

  /** Whether the disk takes messages. */
  @IsIn(['ok', 'failed'])
  store!: 'ok' | 'failed';

  /** Messages that the centre has published since the start. */
  @IsInt()
  @Min(0)
  forwarded!: number;

  /** Messages that never reached the centre since the store was made, by reason. */
  @IsInt()
  @Min(0)
  expired!: number;

  @IsInt()
  @Min(0)
  dropped!: number;

  @IsInt()
  @Min(0)
  refused!: number;

  @IsInt()
  @Min(0)
  damaged!: number;
}
