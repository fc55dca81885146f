import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import type { ChannelSummary } from '../../channels/channel-directory.js';
import type { SubscriberSummary } from '../../channels/subscription-directory.js';
import { ANY_JSON } from '../http/any-json.js';
import { TrueOrFalse, WholeNumber } from '../http/query-values.js';

const MAX_PAGE = 1_000;
const MAX_HISTORY = 1_000;

export class ChannelPath {
  /** `namespace:name`, percent-encoded if needed @example feed:news */
  @IsString()
  channel!: string;
}

export class ChannelsQuery {
  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number;

  /** Only channels whose name begins with this text @example room: */
  @ApiProperty()
  @IsOptional()
  @IsString()
  @Length(1, 255)
  prefix?: string;

  /** The `after` of the previous page */
  @IsOptional()
  @IsString()
  @Length(1, 255)
  after?: string;
}

export class SubscribersQuery {
  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number;

  /** The `after` of the previous page */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  after?: string;
}

export class SubscriberAnswer implements SubscriberSummary {
  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;

  /** Null for an anonymous session @example alice */
  userId!: string | null;

  /** @example node-1 */
  nodeId!: string;
}

export class SubscriberPageAnswer {
  /** Sorted by session id */
  @ApiProperty({ type: [SubscriberAnswer] })
  subscribers!: readonly SubscriberAnswer[];

  /** Pass it as `after` to get the next page; absent on the last page */
  after?: string;

  /** Nodes that did not answer, so their subscribers are not listed @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}

export class HistoryQuery {
  /** 0 returns only the position of the channel */
  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(MAX_HISTORY)
  limit?: number;

  /** Newest first */
  @ApiProperty({ default: false })
  @IsOptional()
  @TrueOrFalse()
  @IsBoolean()
  reverse?: boolean;

  /** Only publications after this position; requires sinceSeq */
  @ApiProperty()
  @IsOptional()
  @IsString()
  @Length(1, 64)
  sinceEpoch?: string;

  /** Requires sinceEpoch */
  @ApiProperty({ type: 'integer' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  sinceSeq?: number;
}

export class PresenceQuery {
  /** Default, and the most: `MAX_PRESENCE_MEMBERS` */
  @ApiProperty({ type: 'integer' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  limit?: number;
}

export class ChannelAnswer implements ChannelSummary {
  /** @example feed:news */
  channel!: string;

  /** @example feed */
  namespace!: string;

  /** Over all nodes that answered @example 5 */
  subscribers!: number;

  /** Node id → subscribers there @example {"node-1": 3, "node-2": 2} */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  nodes!: Readonly<Record<string, number>>;
}

export class ChannelPageAnswer {
  /** Channels with subscribers, sorted by name */
  @ApiProperty({ type: [ChannelAnswer] })
  channels!: readonly ChannelAnswer[];

  /** Nodes that did not answer @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];

  /** Pass it as `after` to get the next page; absent on the last page */
  after?: string;
}

export class PublisherAnswer {
  /** @example alice */
  userId!: string;

  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;
}

export class PublicationAnswer {
  /** @example 17 */
  seq!: number;

  /** Milliseconds since 1970 @example 1795363200000 */
  ts!: number;

  /** How data is encrypted; data is then a token @example fernet */
  enc?: string;

  /** @example {"headline": "Gatehouse has a server API"} */
  @ApiProperty(ANY_JSON)
  data?: unknown;

  /** Absent if a back end published it */
  from?: PublisherAnswer | undefined;
}

export class HistoryAnswer {
  /** The current value of the channel @example mZ3kq0aB */
  epoch!: string;

  /** The current value of the channel @example 17 */
  seq!: number;

  publications!: PublicationAnswer[];
}

export class PresenceAnswer {
  /** The sessions subscribed to the channel on all nodes */
  @ApiProperty({ type: [PublisherAnswer] })
  members!: readonly PublisherAnswer[];

  /** How many are listed @example 1 */
  count!: number;

  /** There are more. Absent otherwise */
  @ApiProperty({ enum: [true] })
  truncated?: true;
}
