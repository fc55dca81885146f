import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { MAX_LIMIT, type SessionSummary } from '../../broadcast/cluster-sessions.js';
import { WholeNumber } from '../http/query-values.js';

export class SessionsQuery {
  /** Only sessions of this user @example alice */
  @ApiProperty()
  @IsOptional()
  @IsString()
  @Length(1, 256)
  userId?: string;

  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;

  /** The `after` of the previous page */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  after?: string;
}

export class SessionPath {
  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  @IsString()
  @Length(1, 64)
  id!: string;
}

export class SessionAnswer implements SessionSummary {
  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;

  /** Null for an anonymous session @example alice */
  userId!: string | null;

  /** @example ["MEMBER"] */
  @ApiProperty({ type: [String] })
  roles!: readonly string[];

  /** @example node-1 */
  nodeId!: string;

  /** @example 203.0.113.7 */
  address!: string;

  /** @example v1.json */
  protocol!: string;

  /** Milliseconds since 1970 @example 1795363200000 */
  openedAt!: number;

  /** @example 12 */
  messagesReceived!: number;

  /** @example 340 */
  messagesSent!: number;
}

export class SessionPageAnswer {
  /** Sorted by session id */
  @ApiProperty({ type: [SessionAnswer] })
  sessions!: readonly SessionAnswer[];

  /** Pass it as `after` to get the next page; absent on the last page */
  after?: string;
}
