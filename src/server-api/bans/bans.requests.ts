import { IsIn, IsInt, IsOptional, IsString, Length, Max, MaxLength, Min, Validate } from 'class-validator';
import { ValidatorConstraint, type ValidationArguments, type ValidatorConstraintInterface } from 'class-validator';
import { isIP } from 'node:net';
import type { Ban } from '../../cluster/ports/ban-store.js';

const KINDS = ['address', 'user'] as const;
const MAX_DURATION_MS = 31_536_000_000;

/** An IPv6 /64 may also be written as in lists. */
@ValidatorConstraint({ name: 'banKey' })
class BanKey implements ValidatorConstraintInterface {
  validate(key: unknown, { object }: ValidationArguments): boolean {
    if (typeof key !== 'string') return false;
    return (object as BanPath).kind !== 'address' || isIP(key.replace(/::\/64$/, '::')) !== 0;
  }

  defaultMessage(): string {
    return 'key must be an IP address if kind is address';
  }
}

export class BanPath {
  @IsIn(KINDS)
  kind!: Ban['kind'];

  /** The address (an IPv6 address stands for its /64), or the user id @example 203.0.113.7 */
  @IsString()
  @Length(1, 256)
  @Validate(BanKey)
  key!: string;
}

export class BanRequest extends BanPath {
  /** @example 3600000 */
  @IsInt()
  @Min(1)
  @Max(MAX_DURATION_MS)
  durationMs!: number;

  /** For operators; clients do not read it @example Scraping */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  reason?: string;
}

export class BanAnswer implements Ban {
  kind!: Ban['kind'];

  /** @example 203.0.113.7 */
  key!: string;

  /** Milliseconds since 1970 @example 1795363200000 */
  until!: number;

  /** @example Scraping */
  reason!: string;

  /** Whether the server banned it for breaking a limit, or an operator did */
  by!: Ban['by'];

  /** For by=breach: how many bans in a row; each doubles the duration @example 1 */
  offences?: number;
}

export class BansAnswer {
  /** At most 10,000 */
  bans!: BanAnswer[];

  /** Total number @example 1 */
  total!: number;
}
