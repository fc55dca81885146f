import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { MAX_LIMIT, type SessionSummary } from '../../broadcast/cluster-sessions.js';
import { WholeNumber } from '../http/query-values.js';

export class SessionsQuery {
  @ApiPropertyOptional({ description: 'Only sessions of this user', example: 'alice' })
  @IsOptional()
  @IsString()
  @Length(1, 256)
  userId?: string;

  @ApiPropertyOptional({ type: 'integer', default: 100, minimum: 1, maximum: MAX_LIMIT })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;

  @ApiPropertyOptional({ description: 'The `after` of the previous page' })
  @IsOptional()
  @IsString()
  @Length(1, 64)
  after?: string;
}

export class SessionPath {
  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  @IsString()
  @Length(1, 64)
  id!: string;
}

export class SessionAnswer implements SessionSummary {
  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  sessionId!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null for an anonymous session', example: 'alice' })
  userId!: string | null;

  @ApiProperty({ type: [String], example: ['MEMBER'] })
  roles!: readonly string[];

  @ApiProperty({ example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ example: '203.0.113.7' })
  address!: string;

  @ApiProperty({ example: 'v1.json' })
  protocol!: string;

  @ApiProperty({ description: 'Milliseconds since 1970', example: 1_795_363_200_000 })
  openedAt!: number;

  @ApiProperty({ example: 12 })
  messagesReceived!: number;

  @ApiProperty({ example: 340 })
  messagesSent!: number;
}

export class SessionPageAnswer {
  @ApiProperty({ type: [SessionAnswer], description: 'Sorted by session id' })
  sessions!: readonly SessionAnswer[];

  @ApiPropertyOptional({ description: 'Pass it as `after` to get the next page; absent on the last page' })
  after?: string;
}
