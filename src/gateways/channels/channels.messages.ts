import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsNumber,
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

/** An invalid name is UNKNOWN_CHANNEL; here it only needs to be a string. */
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

  /** The previous session of the client, so that publications which excluded it stay excluded. */
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

/** The form of keys is checked where a key is used. */
class KeyMessage extends ChannelMessage {
  @IsString()
  key!: string;

  /** Only if the key is at this version; 0: only if it is absent. */
  @IsOptional()
  @IsInt()
  @Min(0)
  ifVersion?: number;
}

export class SetState extends KeyMessage {
  /** A JSON Merge Patch (RFC 7396): a field that is null is removed. */
  @Allow()
  patch?: unknown;
}

export class RemoveState extends KeyMessage {}

export class ReadState extends ChannelMessage {}

export class LookAtArea extends ChannelMessage {
  /** The least and the greatest of both coordinates: `[minLat, minLon, maxLat, maxLon]`. */
  @IsArray()
  @ArrayMinSize(4)
  @ArrayMaxSize(4)
  @IsNumber({ allowNaN: false, allowInfinity: false }, { each: true })
  box!: [number, number, number, number];
}

export class ReadPresence extends ChannelMessage {}
