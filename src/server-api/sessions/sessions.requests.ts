import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { MAX_BUSIEST, type BusiestPage, type BusySession } from '../../broadcast/busiest-sessions.js';
import { MAX_LIMIT } from '../../broadcast/cluster-sessions.js';
import type { SessionDetail, SessionSummary } from '../../broadcast/session-summary.js';
import type { SubscriptionSummary } from '../../channels/subscription-directory.js';
import { WholeNumber } from '../http/query-values.js';

class PageQuery {
  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;
}

export class SessionsQuery extends PageQuery {
  /** Only sessions of this user @example alice */
  @ApiProperty()
  @IsOptional()
  @IsString()
  @Length(1, 256)
  userId?: string;

  /** Only sessions whose user id or session id begins with this text @example ali */
  @ApiProperty()
  @IsOptional()
  @IsString()
  @Length(1, 256)
  prefix?: string;

  /** Only sessions of this client address, as the list shows it @example 203.0.113.7 */
  @ApiProperty()
  @IsOptional()
  @IsString()
  @Length(1, 64)
  address?: string;

  /** The `after` of the previous page */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  after?: string;
}

export class BusiestQuery {
  @ApiProperty({ type: 'integer', default: 10 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_BUSIEST)
  limit?: number;
}

export class SubscriptionsQuery extends PageQuery {
  /** The `after` of the previous page */
  @IsOptional()
  @IsString()
  @Length(1, 255)
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

  /** Number of channels @example 3 */
  subscriptions!: number;

  /** Bytes that wait for a slow reader @example 0 */
  queuedBytes!: number;
}

export class SessionDetailAnswer extends SessionAnswer implements SessionDetail {
  /** Channel pattern → what the token allows there; null if the token says nothing about channels */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { 'room:*': ['subscribe', 'publish'] },
  })
  channels!: Readonly<Record<string, readonly string[]>> | null;

  /** The end of the token, in milliseconds since 1970; null: never @example 1795366800000 */
  expiresAt!: number | null;

  /** Whether an operator has changed its rights */
  hasChangedRights!: boolean;

  /** Messages that wait for a slow reader @example 0 */
  queuedMessages!: number;

  /** Messages of the client that wait to be handled @example 0 */
  waitingMessages!: number;

  /** @example 0 */
  waitingBytes!: number;
}

export class SessionPageAnswer {
  /** Sorted by session id */
  @ApiProperty({ type: [SessionAnswer] })
  sessions!: readonly SessionAnswer[];

  /** Pass it as `after` to get the next page; absent on the last page */
  after?: string;

  /** Nodes that did not answer, so their sessions are not listed @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}

export class BusySessionAnswer extends SessionAnswer implements BusySession {
  /** Messages from the client in a second @example 41.5 */
  receivedPerSecond!: number;

  /** Messages to the client in a second @example 2 */
  sentPerSecond!: number;
}

export class BusiestAnswer implements BusiestPage {
  /** The busiest first; sessions without a message in that second are left out */
  @ApiProperty({ type: [BusySessionAnswer] })
  sessions!: readonly BusySessionAnswer[];

  /** Nodes that did not answer, so their sessions are not listed @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}

export class SubscriptionAnswer implements SubscriptionSummary {
  /** @example feed:news */
  channel!: string;

  /** @example feed */
  namespace!: string;

  /** `application` if code of the application decided, so that changed rights do not end it */
  @ApiProperty({ enum: ['rights', 'application'] })
  grantedBy!: SubscriptionSummary['grantedBy'];
}

export class SubscriptionPageAnswer {
  /** @example node-1 */
  nodeId!: string;

  /** Sorted by channel */
  @ApiProperty({ type: [SubscriptionAnswer] })
  subscriptions!: readonly SubscriptionAnswer[];

  /** Pass it as `after` to get the next page; absent on the last page */
  after?: string;
}
