import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsOptional, Validate } from 'class-validator';
import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { readRights } from '../../authentication/claims.js';
import { CAPABILITIES, type Capability } from '../../authentication/principal.js';
import { LastingRequest, ReachAnswer } from '../revocations/revocations.requests.js';

const MAX_ROLES = 64;
/** Every node keeps it. A token has the same limit. */
const MAX_CHANNELS_LENGTH = 8_192;

const CHANNELS = {
  description: 'Channel pattern → capabilities, as in the claim `channels` of a token',
  type: 'object' as const,
  additionalProperties: { type: 'array' as const, items: { type: 'string' as const, enum: [...CAPABILITIES] } },
  example: { 'room:*': ['subscribe', 'history'] },
};

@ValidatorConstraint({ name: 'roles' })
class RolesClaim implements ValidatorConstraintInterface {
  validate(roles: unknown): boolean {
    return readRights({ roles }) !== undefined;
  }

  defaultMessage(): string {
    return 'roles must be strings of 1 to 64 characters';
  }
}

@ValidatorConstraint({ name: 'channels' })
class ChannelsClaim implements ValidatorConstraintInterface {
  validate(channels: unknown): boolean {
    return readRights({ channels }) !== undefined && JSON.stringify(channels).length <= MAX_CHANNELS_LENGTH;
  }

  defaultMessage(): string {
    return `channels must map patterns to lists of ${CAPABILITIES.join(', ')}, in at most ${MAX_CHANNELS_LENGTH} characters`;
  }
}

export class RightsRequest extends LastingRequest {
  /** Replace the roles in the token. Empty: no roles @example ["MEMBER"] */
  @IsArray()
  @ArrayMaxSize(MAX_ROLES)
  @Validate(RolesClaim)
  roles!: string[];

  @ApiProperty({ ...CHANNELS, description: `${CHANNELS.description}. Absent: the claim of the token applies` })
  @IsOptional()
  @Validate(ChannelsClaim)
  channels?: Record<string, Capability[]>;
}

export class RightsAnswer {
  /** @example alice */
  userId!: string;

  /** @example ["MEMBER"] */
  @ApiProperty({ type: [String] })
  roles!: readonly string[];

  @ApiProperty({ ...CHANNELS, description: `${CHANNELS.description}. Absent: the claim of the token applies` })
  channels?: Readonly<Record<string, readonly string[]>>;

  /** Applies to tokens issued before this time, in milliseconds since 1970 @example 1795363200000 */
  issuedBefore!: number;

  /** End of the order, in milliseconds since 1970 @example 1795968000000 */
  until!: number;

  /** @example "Left the team" */
  reason!: string;
}

export class RightsListAnswer {
  /** At most 10,000 */
  rights!: RightsAnswer[];

  /** Total number @example 1 */
  total!: number;
}

export class RightsChangedAnswer extends ReachAnswer {
  /** Number of open sessions whose rights changed, over all nodes that answered @example 2 */
  sessions!: number;

  /** Number of subscriptions that these sessions lost @example 1 */
  dropped!: number;

  rights!: RightsAnswer;
}
