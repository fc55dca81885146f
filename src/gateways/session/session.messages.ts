import { IsString, Length } from 'class-validator';

export class AuthRefresh {
  @IsString()
  @Length(1, 8_192)
  token!: string;
}

/** What a client learns of its session. */
export interface Hello {
  readonly sessionId: string;
  readonly nodeId: string;
  /** Null for an anonymous session. */
  readonly userId: string | null;
  readonly roles: readonly string[];
  /** The subprotocol in use. */
  readonly protocol: string;
  /** Milliseconds. */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly limits: { readonly maxMessageBytes: number; readonly messageRate: number; readonly messageBurst: number };
  /** Milliseconds since 1970. */
  readonly serverTime: number;
}
