import { Type } from 'class-transformer';
import {
  Allow,
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

const MAX_HISTORY_LIMIT = 10_000;
const MAX_TTL_MS = 86_400_000;

/** Names that are no channel are UNKNOWN_CHANNEL, whatever is wrong with them; here they need only be text. */
class ChannelMessage {
  @IsString()
  @IsNotEmpty()
  channel!: string;
}

export class Since {
  @IsString()
  @Length(1, 64)
  epoch!: string;

  @IsInt()
  @Min(0)
  seq!: number;
}

export class Subscribe extends ChannelMessage {
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Since)
  since?: Since;

  @IsOptional()
  @IsBoolean()
  presence?: boolean;

  /** The session id that the client had before, so that what it excluded itself from stays excluded. */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  previousSession?: string;
}

export class Unsubscribe extends ChannelMessage {}

export class Publish extends ChannelMessage {
  @Allow()
  data?: unknown;

  @IsOptional()
  @IsString()
  @Length(1, 128)
  idempotencyKey?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TTL_MS)
  ttlMs?: number;

  @IsOptional()
  @IsBoolean()
  excludeSelf?: boolean;
}

export class ReadHistory extends ChannelMessage {
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Since)
  since?: Since;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_HISTORY_LIMIT)
  limit?: number;

  @IsOptional()
  @IsBoolean()
  reverse?: boolean;
}

export class ReadPresence extends ChannelMessage {}
