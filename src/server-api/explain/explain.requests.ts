import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Min } from 'class-validator';
import type { Gap } from '../../channels/recovery/gap.js';
import type { NodeCover, PublicationState } from '../../channels/ledger/explanations.js';
import type { SessionAccount, Stay } from '../../channels/ledger/node-account.js';
import { OUTCOMES, type OutcomeName, type PublicationOutcome } from '../../channels/ledger/publication-outcome.js';
import { WholeNumber } from '../http/query-values.js';

const MILLISECONDS = { description: 'Milliseconds since 1970', example: 1_795_363_200_000 };

export class ExplainQuery {
  @ApiProperty({ example: 'alice' })
  @IsString()
  @Length(1, 256)
  userId!: string;

  @ApiProperty({ description: '`namespace:name`, percent-encoded if needed', example: 'feed:news' })
  @IsString()
  channel!: string;

  @ApiProperty({ type: 'integer', minimum: 1, example: 17 })
  @WholeNumber()
  @IsInt()
  @Min(1)
  seq!: number;

  @ApiPropertyOptional({ description: 'The epoch of the channel. Absent: the newest epoch that has the seq' })
  @IsOptional()
  @IsString()
  @Length(1, 64)
  epoch?: string;
}

class GapAnswer implements Gap {
  @ApiProperty({ type: 'integer', nullable: true, description: 'The first lost seq; null if unknown' })
  from!: number | null;

  @ApiProperty({ example: 17 })
  to!: number;
}

class VerdictAnswer implements PublicationOutcome {
  @ApiProperty({ enum: Object.keys(OUTCOMES), example: 'delivered' })
  outcome!: OutcomeName;

  @ApiPropertyOptional({ ...MILLISECONDS, description: 'Time of this outcome, in milliseconds since 1970' })
  at?: number;

  @ApiPropertyOptional({ description: 'Of `dropped`, `waiting`, `not_subscribed` and `unknown`', example: 'latest' })
  reason?: string;

  @ApiPropertyOptional({ description: 'Of `gap_announced`' })
  gap?: GapAnswer;
}

class StayAnswer implements Stay {
  @ApiProperty(MILLISECONDS)
  subscribedAt!: number;

  @ApiPropertyOptional({ description: 'The position of the client after the reply', example: 12 })
  seq?: number;

  @ApiPropertyOptional({ description: 'The position that the client sent', example: 9 })
  since?: number;

  @ApiPropertyOptional(MILLISECONDS)
  leftAt?: number;
}

class SessionAccountAnswer extends VerdictAnswer implements SessionAccount {
  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  sessionId!: string;

  @ApiProperty({ example: 'node-1' })
  nodeId!: string;

  @ApiPropertyOptional(MILLISECONDS)
  openedAt?: number;

  @ApiPropertyOptional({ ...MILLISECONDS, description: 'Absent while the session is open' })
  closedAt?: number;

  @ApiPropertyOptional({ example: 1006 })
  closeCode?: number;

  @ApiProperty({
    type: [StayAnswer],
    description: 'Subscribe requests of the session for the channel, as far as the ledger has them',
  })
  subscribes!: readonly StayAnswer[];
}

class PositionAnswer {
  @ApiProperty({ example: 'mZ3kq0aB' })
  epoch!: string;

  @ApiProperty({ example: 17 })
  seq!: number;
}

class PublicationStateAnswer implements PublicationState {
  @ApiProperty({
    enum: ['kept', 'gone', 'never'],
    description:
      'Whether the publication is in the history, no longer there (or of another epoch), or was never published',
  })
  state!: PublicationState['state'];

  @ApiPropertyOptional({ ...MILLISECONDS, description: 'Time of the publication; absent if unknown' })
  ts?: number;

  @ApiProperty({ description: 'The current position of the channel' })
  top!: PositionAnswer;
}

class NodeCoverAnswer implements NodeCover {
  @ApiProperty({ example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ ...MILLISECONDS, description: 'Deliveries are recorded since this time' })
  deliveriesSince!: number;

  @ApiProperty({ ...MILLISECONDS, description: 'Sessions are recorded since this time' })
  sessionsSince!: number;
}

export class ExplanationAnswer extends VerdictAnswer {
  @ApiProperty({ description: 'What the outcome means', example: OUTCOMES.delivered })
  meaning!: string;

  @ApiProperty()
  publication!: PublicationStateAnswer;

  @ApiProperty({ type: [SessionAccountAnswer], description: 'The sessions of the user, the best outcome first' })
  sessions!: readonly SessionAccountAnswer[];

  @ApiProperty({ type: [NodeCoverAnswer], description: 'The nodes that answered' })
  nodes!: readonly NodeCoverAnswer[];

  @ApiProperty({ type: [String], description: 'Nodes that did not answer', example: [] })
  missing!: readonly string[];
}
