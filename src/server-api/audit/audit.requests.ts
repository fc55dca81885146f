import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { AUDIT_CAUSES, KEPT_LINES, type AuditCause, type AuditLine } from '../../observability/audit/audit-tail.js';
import { WholeNumber } from '../http/query-values.js';

export class AuditQuery {
  @ApiProperty({ type: 'integer', default: 100 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(KEPT_LINES)
  limit?: number;

  /** Only lines that clients caused, or only those that operators and the server caused */
  @ApiProperty({ enum: AUDIT_CAUSES })
  @IsOptional()
  @IsIn(AUDIT_CAUSES)
  cause?: AuditCause;
}

export class AuditLineAnswer implements Pick<AuditLine, 'at' | 'cause'> {
  /** @example node-1 */
  nodeId!: string;

  /** Milliseconds since 1970 @example 1795363200000 */
  at!: number;

  @ApiProperty({ enum: AUDIT_CAUSES })
  cause!: AuditCause;

  /** The event, as docs/audit.md lists it @example api_call */
  event!: string;

  /** The fields of the event */
  @ApiProperty({ type: 'object', additionalProperties: true })
  fields!: Readonly<Record<string, unknown>>;
}

export class AuditAnswer {
  /** The newest first */
  @ApiProperty({ type: [AuditLineAnswer] })
  lines!: readonly AuditLineAnswer[];

  /** Nodes that did not answer @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}
