/** What the server API answers, as docs/api.md describes it. */

export interface NodeReport {
  readonly nodeId: string;
  readonly url: string;
  readonly version: string;
  readonly startedAt: number;
  readonly isReady: boolean;
  readonly load: {
    readonly sessions: number;
    readonly maxSessions: number;
    readonly eventLoopLagMs: number;
    readonly bufferedBytes: number;
    readonly processor: number;
  };
}

export interface Series {
  readonly sessions: readonly number[];
  readonly received: readonly number[];
  readonly sent: readonly number[];
  readonly errors: readonly number[];
  readonly lagMs: readonly number[];
  readonly queuedBytes: readonly number[];
}

export interface Anomaly {
  readonly kind: string;
  readonly since: number;
  readonly value: number;
  readonly limit: number;
}

export interface Activity {
  readonly nodes: readonly {
    readonly nodeId: string;
    readonly state: string;
    readonly engine: string;
    readonly isEngineUp: boolean;
    readonly anomalies: readonly Anomaly[];
    readonly series: Series;
  }[];
  readonly missing: readonly string[];
}

export interface Session {
  readonly sessionId: string;
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly nodeId: string;
  readonly address: string;
  readonly protocol: string;
  readonly openedAt: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly subscriptions: number;
  readonly queuedBytes: number;
}

export interface BusiestPage {
  readonly sessions: readonly (Session & { readonly receivedPerSecond: number; readonly sentPerSecond: number })[];
  readonly missing: readonly string[];
}

export interface SessionDetail extends Session {
  readonly channels: Readonly<Record<string, readonly string[]>> | null;
  readonly expiresAt: number | null;
  readonly hasChangedRights: boolean;
  readonly queuedMessages: number;
  readonly waitingMessages: number;
  readonly waitingBytes: number;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly after?: string;
  readonly missing: readonly string[];
}

export interface Edge {
  readonly edge: string;
  readonly isConnected: boolean;
  readonly since: number;
  readonly seenAt: number;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly address: string;
  readonly connections: number;
  readonly report: {
    readonly release: string;
    readonly sessions: number;
    readonly queuedMessages: number;
    readonly queuedBytes: number;
    readonly oldestMs?: number;
    readonly store: string;
    readonly forwarded: number;
    readonly expired: number;
    readonly dropped: number;
    readonly refused: number;
    readonly damaged: number;
  };
}

export interface EdgePage {
  readonly edges: readonly Edge[];
  readonly after?: string;
  readonly missing: readonly string[];
}

export interface Subscription {
  readonly channel: string;
  readonly namespace: string;
  readonly grantedBy: string;
}

export interface SubscriberPage {
  readonly subscribers: readonly {
    readonly sessionId: string;
    readonly userId: string | null;
    readonly nodeId: string;
  }[];
  readonly after?: string;
  readonly missing: readonly string[];
}

export interface ChannelSummary {
  readonly channel: string;
  readonly namespace: string;
  readonly subscribers: number;
  readonly nodes: Readonly<Record<string, number>>;
}

export interface Publication {
  readonly seq: number;
  readonly ts: number;
  readonly data?: unknown;
  readonly enc?: string;
  readonly from?: { readonly userId: string; readonly sessionId: string };
}

export interface History {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly Publication[];
}

export interface Presence {
  readonly members: readonly { readonly userId: string; readonly sessionId: string }[];
  readonly count: number;
  readonly truncated?: boolean;
}

export interface Explanation {
  readonly outcome: string;
  readonly at?: number;
  readonly reason?: string;
  readonly meaning: string;
  readonly publication: { readonly state: string; readonly ts?: number; readonly top: { readonly seq: number } };
  readonly sessions: readonly {
    readonly outcome: string;
    readonly reason?: string;
    readonly at?: number;
    readonly sessionId: string;
    readonly nodeId: string;
  }[];
  readonly missing: readonly string[];
}

export interface Ban {
  readonly kind: string;
  readonly key: string;
  readonly until: number;
  readonly reason: string;
  readonly by: string;
}

export interface Revocation {
  readonly kind: string;
  readonly key: string;
  readonly until: number;
  readonly reason: string;
}

export interface Rights {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly until: number;
  readonly reason: string;
}

export interface AuditLine {
  readonly nodeId: string;
  readonly at: number;
  readonly cause: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogLevels {
  readonly nodes: readonly { readonly nodeId: string; readonly levels: string; readonly configured: string }[];
  readonly missing: readonly string[];
}
