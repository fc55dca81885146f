import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Min } from 'class-validator';
import type { Gap } from '../../channels/recovery/gap.js';
import type { NodeCover, PublicationState } from '../../channels/ledger/explanations.js';
import type { SessionAccount, Stay } from '../../channels/ledger/node-account.js';
import { OUTCOMES, type OutcomeName, type PublicationOutcome } from '../../channels/ledger/publication-outcome.js';
import { WholeNumber } from '../http/query-values.js';

export class ExplainQuery {
  /** @example alice */
  @ApiProperty()
  @IsString()
  @Length(1, 256)
  userId!: string;

  /** `namespace:name`, percent-encoded if needed @example feed:news */
  @ApiProperty()
  @IsString()
  channel!: string;

  /** @example 17 */
  @ApiProperty({ type: 'integer' })
  @WholeNumber()
  @IsInt()
  @Min(1)
  seq!: number;

  /** The epoch of the channel. Absent: the newest epoch that has the seq */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  epoch?: string;
}

class GapAnswer implements Gap {
  /** The first lost seq; null if unknown */
  @ApiProperty({ type: 'integer' })
  from!: number | null;

  /** @example 17 */
  to!: number;
}

class VerdictAnswer implements PublicationOutcome {
  /** @example delivered */
  outcome!: OutcomeName;

  /** Time of this outcome, in milliseconds since 1970 @example 1795363200000 */
  at?: number;

  /** Of `dropped`, `waiting`, `not_subscribed` and `unknown` @example latest */
  reason?: string;

  /** Of `gap_announced` */
  gap?: GapAnswer;
}

class StayAnswer implements Stay {
  /** Milliseconds since 1970 @example 1795363200000 */
  subscribedAt!: number;

  /** The position of the client after the reply @example 12 */
  seq?: number;

  /** The position that the client sent @example 9 */
  since?: number;

  /** Milliseconds since 1970 @example 1795363200000 */
  leftAt?: number;
}

class SessionAccountAnswer extends VerdictAnswer implements SessionAccount {
  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;

  /** @example node-1 */
  nodeId!: string;

  /** Milliseconds since 1970 @example 1795363200000 */
  openedAt?: number;

  /** Absent while the session is open @example 1795363200000 */
  closedAt?: number;

  /** @example 1006 */
  closeCode?: number;

  /** Subscribe requests of the session for the channel, as far as the ledger has them */
  @ApiProperty({ type: [StayAnswer] })
  subscribes!: readonly StayAnswer[];
}

class PositionAnswer {
  /** @example mZ3kq0aB */
  epoch!: string;

  /** @example 17 */
  seq!: number;
}

class PublicationStateAnswer implements PublicationState {
  /** Whether the publication is in the history, no longer there (or of another epoch), or was never published */
  state!: PublicationState['state'];

  /** Time of the publication; absent if unknown @example 1795363200000 */
  ts?: number;

  /** The current position of the channel */
  top!: PositionAnswer;
}

class NodeCoverAnswer implements NodeCover {
  /** @example node-1 */
  nodeId!: string;

  /** Deliveries are recorded since this time @example 1795363200000 */
  deliveriesSince!: number;

  /** Sessions are recorded since this time @example 1795363200000 */
  sessionsSince!: number;
}

export class ExplanationAnswer extends VerdictAnswer {
  /** What the outcome means */
  @ApiProperty({ example: OUTCOMES.delivered })
  meaning!: string;

  publication!: PublicationStateAnswer;

  /** The sessions of the user, the best outcome first */
  @ApiProperty({ type: [SessionAccountAnswer] })
  sessions!: readonly SessionAccountAnswer[];

  /** The nodes that answered */
  @ApiProperty({ type: [NodeCoverAnswer] })
  nodes!: readonly NodeCoverAnswer[];

  /** Nodes that did not answer @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}
