import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import type { ChannelSummary } from '../../channels/channel-directory.js';
import { ANY_JSON } from '../http/any-json.js';
import { TrueOrFalse, WholeNumber } from '../http/query-values.js';

const MAX_PAGE = 1_000;
const MAX_HISTORY = 1_000;

export class ChannelPath {
  @ApiProperty({ description: '`namespace:name`, percent-encoded if needed', example: 'feed:news' })
  @IsString()
  channel!: string;
}

export class ChannelsQuery {
  @ApiPropertyOptional({ type: 'integer', default: 100, minimum: 1, maximum: MAX_PAGE })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number;

  @ApiPropertyOptional({ description: 'The `after` of the previous page' })
  @IsOptional()
  @IsString()
  @Length(1, 255)
  after?: string;
}

export class HistoryQuery {
  @ApiPropertyOptional({
    type: 'integer',
    default: 100,
    minimum: 0,
    maximum: MAX_HISTORY,
    description: '0 returns only the position of the channel',
  })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(MAX_HISTORY)
  limit?: number;

  @ApiPropertyOptional({ default: false, description: 'Newest first' })
  @IsOptional()
  @TrueOrFalse()
  @IsBoolean()
  reverse?: boolean;

  @ApiPropertyOptional({ description: 'Only publications after this position; requires sinceSeq' })
  @IsOptional()
  @IsString()
  @Length(1, 64)
  sinceEpoch?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'Requires sinceEpoch' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  sinceSeq?: number;
}

export class PresenceQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Default, and the most: `MAX_PRESENCE_MEMBERS`' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  limit?: number;
}

export class ChannelAnswer implements ChannelSummary {
  @ApiProperty({ example: 'feed:news' })
  channel!: string;

  @ApiProperty({ example: 'feed' })
  namespace!: string;

  @ApiProperty({ description: 'Over all nodes that answered', example: 5 })
  subscribers!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Node id → subscribers there',
    example: { 'node-1': 3, 'node-2': 2 },
  })
  nodes!: Readonly<Record<string, number>>;
}

export class ChannelPageAnswer {
  @ApiProperty({ type: [ChannelAnswer], description: 'Channels with subscribers, sorted by name' })
  channels!: readonly ChannelAnswer[];

  @ApiProperty({ type: [String], description: 'Nodes that did not answer', example: [] })
  missing!: readonly string[];

  @ApiPropertyOptional({ description: 'Pass it as `after` to get the next page; absent on the last page' })
  after?: string;
}

export class PublisherAnswer {
  @ApiProperty({ example: 'alice' })
  userId!: string;

  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  sessionId!: string;
}

export class PublicationAnswer {
  @ApiProperty({ example: 17 })
  seq!: number;

  @ApiProperty({ description: 'Milliseconds since 1970', example: 1_795_363_200_000 })
  ts!: number;

  @ApiPropertyOptional({ description: 'How data is encrypted; data is then a token', example: 'fernet' })
  enc?: string;

  @ApiPropertyOptional({ ...ANY_JSON, example: { headline: 'Gatehouse has a server API' } })
  data?: unknown;

  @ApiPropertyOptional({ description: 'Absent if a back end published it' })
  from?: PublisherAnswer | undefined;
}

export class HistoryAnswer {
  @ApiProperty({ description: 'The current value of the channel', example: 'mZ3kq0aB' })
  epoch!: string;

  @ApiProperty({ description: 'The current value of the channel', example: 17 })
  seq!: number;

  @ApiProperty({ type: [PublicationAnswer] })
  publications!: readonly PublicationAnswer[];
}

export class PresenceAnswer {
  @ApiProperty({ type: [PublisherAnswer], description: 'The sessions subscribed to the channel on all nodes' })
  members!: readonly PublisherAnswer[];

  @ApiProperty({ description: 'How many are listed', example: 1 })
  count!: number;

  @ApiPropertyOptional({ enum: [true], description: 'There are more. Absent otherwise' })
  truncated?: true;
}
