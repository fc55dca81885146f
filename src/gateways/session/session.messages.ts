import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Length, Min, ValidateIf, ValidateNested } from 'class-validator';

export class AuthRefresh {
  @IsString()
  @Length(1, 8_192)
  token!: string;
}

export class TokenExpiry {
  /** Milliseconds since 1970; null where the token does not expire. */
  @ValidateIf((_reply, value) => value !== null)
  @IsInt()
  expiresAt!: number | null;
}

export class Pong {
  /** Milliseconds since 1970. */
  @IsInt()
  serverTime!: number;
}

/** Milliseconds. */
export class HeartbeatTimes {
  @IsInt()
  @Min(0)
  intervalMs!: number;

  @IsInt()
  @Min(0)
  timeoutMs!: number;
}

/** 0: no limit. */
export class SessionLimits {
  @IsInt()
  @Min(0)
  maxMessageBytes!: number;

  @IsInt()
  @Min(0)
  messageRate!: number;

  @IsInt()
  @Min(0)
  messageBurst!: number;
}

/** Milliseconds, after which what is in front of the server ends a connection. */
export class ConnectionLimits {
  /** Of silence. */
  @IsInt()
  @Min(0)
  idleMs!: number;

  /** Of its whole life. */
  @IsInt()
  @Min(0)
  maxAgeMs!: number;
}

/** What a client learns of its session. */
export class Hello {
  @IsString()
  sessionId!: string;

  @IsString()
  nodeId!: string;

  /** Null for an anonymous session. */
  @ValidateIf((_reply, value) => value !== null)
  @IsString()
  userId!: string | null;

  @IsString({ each: true })
  roles!: readonly string[];

  /** The subprotocol in use. */
  @IsString()
  protocol!: string;

  @ValidateNested()
  @Type(() => HeartbeatTimes)
  heartbeat!: HeartbeatTimes;

  /** Absent on a server, which has no such limits. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ConnectionLimits)
  connection?: ConnectionLimits;

  @ValidateNested()
  @Type(() => SessionLimits)
  limits!: SessionLimits;

  /** Milliseconds since 1970. */
  @IsInt()
  serverTime!: number;
}
