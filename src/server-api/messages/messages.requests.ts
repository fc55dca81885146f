import { ApiProperty } from '@nestjs/swagger';
import { Allow, IsInt, IsNotEmpty, IsOptional, IsString, Length, Max, Min, NotEquals } from 'class-validator';
import { MAX_TYPE_LENGTH } from '@gatehouse/protocol';
import { ANY_JSON } from '../http/any-json.js';

const MAX_TTL_MS = 86_400_000;

export class PublishRequest {
  /** `namespace:name` @example feed:news */
  @IsString()
  @IsNotEmpty()
  channel!: string;

  /** @example {"headline": "Gatehouse has a server API"} */
  @ApiProperty(ANY_JSON)
  @Allow()
  data?: unknown;

  /** The same as the header Idempotency-Key @example news-4711 */
  @IsOptional()
  @IsString()
  @Length(1, 128)
  idempotencyKey?: string;

  /** Milliseconds after which the publication is no longer delivered @example 60000 */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TTL_MS)
  ttlMs?: number;
}

class Message {
  /** @example {"text": "Maintenance at noon"} */
  @ApiProperty(ANY_JSON)
  @Allow()
  data?: unknown;
}

export class BroadcastRequest extends Message {
  /** The type of the message that clients get */
  @ApiProperty({ default: 'broadcast' })
  @IsOptional()
  @IsString()
  @Length(1, MAX_TYPE_LENGTH)
  // An error has fields of its own, which clients would look for.
  @NotEquals('error')
  type?: string;
}

export class UserMessageRequest extends Message {
  /** The type of the message that clients get */
  @ApiProperty({ default: 'direct_message' })
  @IsOptional()
  @IsString()
  @Length(1, MAX_TYPE_LENGTH)
  @NotEquals('error')
  type?: string;
}

export class UserPath {
  /** The user id: the claim `sub` of the user’s token @example alice */
  @IsString()
  @Length(1, 256)
  userId!: string;
}

export class PublishAnswer {
  /** @example feed:news */
  channel!: string;

  /** Absent if the channel has no history @example mZ3kq0aB */
  epoch?: string;

  /** Absent if the channel has no history @example 17 */
  seq?: number;
}

export class SessionsAnswer {
  /** Number of sessions reached, over all nodes that answered @example 2 */
  sessions!: number;
}
