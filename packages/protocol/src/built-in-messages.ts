import type { ErrorCode } from './error-codes.js';
import type { Publisher, Subprotocol } from './envelope.js';

/** Where a publication stands in its channel. Positions of different epochs cannot be compared. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** The reply to `hello`. A limit of 0 means no limit. */
export interface HelloReply {
  readonly sessionId: string;
  readonly nodeId: string;
  /** Null for an anonymous session. */
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly protocol: Subprotocol;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /**
   * Limits of what is in front of the server, if it has any. Such a host gives publications no order: one may come after
   * the next, or twice.
   */
  readonly connection?: { readonly idleMs: number; readonly maxAgeMs: number } | undefined;
  readonly limits: {
    readonly maxMessageBytes: number;
    readonly messageRate: number;
    readonly messageBurst: number;
  };
  readonly serverTime: number;
}

export interface SubscribeRequest {
  readonly channel: string;
  readonly since?: Position | undefined;
  /** Whether to be told who joins and leaves. */
  readonly presence?: boolean | undefined;
  readonly previousSession?: string | undefined;
}

/** A publication as it stands in a reply. */
export interface Publication {
  readonly seq: number;
  readonly ts: number;
  readonly enc?: string | undefined;
  readonly data?: unknown;
  readonly from?: Publisher | undefined;
}

/** Publications that are lost. If `from` is null, nobody can say how many. */
export interface Gap {
  readonly from: number | null;
  readonly to: number;
}

export interface SubscribeReply {
  readonly channel: string;
  readonly epoch?: string | undefined;
  readonly seq?: number | undefined;
  readonly recovered: boolean;
  readonly publications: readonly Publication[];
  readonly gap?: Gap | undefined;
}

export interface PublishRequest {
  readonly channel: string;
  readonly data?: unknown;
  readonly idempotencyKey?: string | undefined;
  readonly ttlMs?: number | undefined;
  readonly excludeSelf?: boolean | undefined;
}

/** In a namespace without history there is no position. */
export interface PublishReply {
  readonly channel: string;
  readonly epoch?: string | undefined;
  readonly seq?: number | undefined;
}

export interface HistoryReply {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly Publication[];
}

export interface PresenceReply {
  readonly members: readonly { readonly sessionId: string; readonly userId: string }[];
  readonly count: number;
}

/** The data of a `presence` message. */
export interface PresenceEvent {
  readonly event: 'join' | 'leave';
  readonly member: { readonly userId: string };
}

/** The data of an `unsubscribed` message. */
export interface UnsubscribedNotice {
  readonly lost: 'channel' | 'presence';
  readonly code: ErrorCode;
  readonly message: string;
}

/** The data of `tap.start`: exactly one of the first four fields. */
export interface TapRequest {
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly channel?: string | undefined;
  readonly type?: string | undefined;
  /** Whether lines show payloads. */
  readonly payload?: boolean | undefined;
}

export interface TapStartReply {
  readonly tapId: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  /** The nodes that watch. */
  readonly nodes: readonly string[];
  /** The nodes that did not answer, or watch for too many already. */
  readonly missing: readonly string[];
}

/** The data of `tap.line`. */
export interface TapLine {
  readonly tapId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly node: string;
  readonly direction: 'in' | 'out' | 'event';
  readonly type: string;
  readonly outcome: string;
  readonly session?: string;
  readonly user?: string;
  readonly channel?: string;
  readonly seq?: number;
  readonly bytes?: number;
  readonly ms?: number;
  readonly sessions?: number;
  readonly payload?: string;
  /** Lines that were left out before this one. */
  readonly leftOut?: number;
}

/** The data of `tap.end`. */
export interface TapEnd {
  readonly tapId: string;
  readonly reason: 'time' | 'rights';
}
