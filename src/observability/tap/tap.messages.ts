import { IsArray, IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Matches, Min } from 'class-validator';

/** Exactly one of `userId`, `sessionId`, `channel` and `type`. */
export class StartTap {
  /** Everything that the sessions of this user send and get. */
  @IsOptional()
  @IsString()
  @Length(1, 256)
  userId?: string;

  /** Everything that this session sends and gets. */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  sessionId?: string;

  /** Requests about this channel, and what is delivered in it. */
  @IsOptional()
  @IsString()
  @Length(1, 255)
  channel?: string;

  /** Messages of this type, in both directions. */
  @IsOptional()
  @IsString()
  @Matches(/^[^\s]{1,128}$/)
  type?: string;

  /** Whether lines show payloads. */
  @IsOptional()
  @IsBoolean()
  payload?: boolean;
}

export class TapStarted {
  @IsString()
  tapId!: string;

  /** When it ends by itself, in milliseconds since 1970. */
  @IsInt()
  endsAt!: number;

  /** The nodes that watch. */
  @IsArray()
  @IsString({ each: true })
  nodes!: readonly string[];

  /** The nodes that did not answer, or watch for too many already. */
  @IsArray()
  @IsString({ each: true })
  missing!: readonly string[];
}

export const DIRECTIONS = ['in', 'out', 'event'] as const;

/** One message, or one event of a session. */
export class TapLine {
  @IsString()
  tapId!: string;

  /** Milliseconds since 1970. */
  @IsInt()
  at!: number;

  /** The node that saw it. */
  @IsString()
  node!: string;

  /** `in`: from a client. `out`: to clients. `event`: a session opened or closed. */
  @IsIn(DIRECTIONS)
  direction!: (typeof DIRECTIONS)[number];

  /** The type of the message; `opened` or `closed` for an event. */
  @IsString()
  type!: string;

  /** `ok`, `sent`, `dropped`, the code of an error, or the close code. */
  @IsString()
  outcome!: string;

  /** Absent if a message went to several. */
  @IsOptional()
  @IsString()
  session?: string;

  @IsOptional()
  @IsString()
  user?: string;

  @IsOptional()
  @IsString()
  channel?: string;

  @IsOptional()
  @IsInt()
  seq?: number;

  /** The size of the message; of a frame if it is `out`. */
  @IsOptional()
  @IsInt()
  bytes?: number;

  /** From its arrival to its reply, in milliseconds. */
  @IsOptional()
  @IsNumber()
  ms?: number;

  /** How many sessions of the node took it. */
  @IsOptional()
  @IsInt()
  @Min(0)
  sessions?: number;

  /** The payload as JSON, cut. Absent unless the tap shows payloads. */
  @IsOptional()
  @IsString()
  payload?: string;

  /** Lines that were left out before this one, because there were more than 50 in a second. */
  @IsOptional()
  @IsInt()
  leftOut?: number;
}

export class TapStopped {
  /** False if this session had no tap. */
  @IsBoolean()
  wasActive!: boolean;
}

export const TAP_ENDS = ['time', 'rights'] as const;

/** A tap has ended by itself. */
export class TapEnd {
  @IsString()
  tapId!: string;

  /** `time`: ten minutes are over. `rights`: the session no longer has the role ADMIN. */
  @IsIn(TAP_ENDS)
  reason!: (typeof TAP_ENDS)[number];
}
