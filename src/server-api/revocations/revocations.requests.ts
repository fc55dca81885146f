import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Length, Max, MaxLength, Min, Validate } from 'class-validator';
import { ValidatorConstraint, type ValidationArguments, type ValidatorConstraintInterface } from 'class-validator';
import { MAX_TIME_MS } from '../../authentication/claims.js';

const KINDS = ['token', 'user'] as const;
const ORDER_KINDS = [...KINDS, 'session'] as const;
/** The year 2001. A time in seconds is before it, and would silently revoke nothing. */
const MIN_TIME_MS = 1_000_000_000_000;

@ValidatorConstraint({ name: 'future' })
export class Future implements ValidatorConstraintInterface {
  validate(time: unknown): boolean {
    return typeof time === 'number' && time > Date.now() + 1_000;
  }

  defaultMessage({ property }: ValidationArguments): string {
    return `${property} must be in the future, in milliseconds since 1970`;
  }
}

@ValidatorConstraint({ name: 'ofUser' })
class OfUser implements ValidatorConstraintInterface {
  validate(_value: unknown, { object }: ValidationArguments): boolean {
    const { kind } = object as RevocationRequest;
    // Without a kind, that is what is wrong.
    return kind === 'user' || !ORDER_KINDS.includes(kind);
  }

  defaultMessage({ property }: ValidationArguments): string {
    return `${property} is allowed only if kind is user`;
  }
}

/** The fields of an order with an end. */
export class LastingRequest {
  /**
   * How long the revocation is kept, in milliseconds since 1970. Choose a time after the tokens have expired.
   * Default: REVOCATION_TTL_MS from now; for a session whose token expires, one minute after that
   * @example 1795363200000
   */
  @IsOptional()
  @IsInt()
  @Max(MAX_TIME_MS)
  @Validate(Future)
  until?: number;

  /** For operators; clients do not read it @example "Laptop lost" */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  reason?: string;
}

export class RevocationRequest extends LastingRequest {
  @IsIn(ORDER_KINDS)
  kind!: (typeof ORDER_KINDS)[number];

  /** The `jti` of the token, the user id, or the session id @example alice */
  @IsString()
  @Length(1, 256)
  key!: string;

  /**
   * For kind user: tokens issued before this time are revoked, in milliseconds since 1970. Default: now
   * @example 1795363200000
   */
  @IsOptional()
  @IsInt()
  @Min(MIN_TIME_MS)
  @Max(MAX_TIME_MS)
  @Validate(OfUser)
  issuedBefore?: number;
}

export class RevocationPath {
  @IsIn(KINDS)
  kind!: (typeof KINDS)[number];

  /** The `jti` of the token, or the user id @example alice */
  @IsString()
  @Length(1, 256)
  key!: string;
}

export class RevocationAnswer {
  kind!: (typeof KINDS)[number];

  /** The `jti` of the token, or the user id @example alice */
  key!: string;

  /** End of the order, in milliseconds since 1970 @example 1795363200000 */
  until!: number;

  /** @example "Laptop lost" */
  reason!: string;

  /** For kind user: tokens issued before this time are revoked, in milliseconds since 1970 @example 1795363200000 */
  issuedBefore?: number;
}

export class RevocationsAnswer {
  /** At most 10,000 */
  revocations!: RevocationAnswer[];

  /** Total number @example 1 */
  total!: number;
}

/** The nodes that an order did not reach in time. */
export class ReachAnswer {
  /** Nodes that did not confirm within two seconds. They carry it out when they are back @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}

export class RevokedAnswer extends ReachAnswer {
  /** Number of sessions that ended, over all nodes that answered @example 2 */
  sessions!: number;

  /** Absent if the token of the session has no `jti`; the session was then closed with 4409 */
  revocation?: RevocationAnswer;
}
