interface FaultDefinition {
  /** The first words of the error replies of Redis. */
  readonly replies: RegExp;
  /** Nothing from this server can be used. Commands are refused until another server answers, or this one recovers. */
  readonly isUnusable?: true;
  /** A new connection may reach another server, or log in with the current password. */
  readonly mayReconnect?: true;
  /** Only some commands are affected, so a successful probe proves nothing. */
  readonly isPartial?: true;
}

/**
 * Why Redis refuses commands, by the name in /ready, the log and the metric. docs/redis.md explains each; a test
 * compares.
 */
export const REDIS_FAULTS = {
  read_only: { replies: /^READONLY/, isUnusable: true, mayReconnect: true },
  loading: { replies: /^LOADING/, isUnusable: true, mayReconnect: true },
  master_down: { replies: /^MASTERDOWN/, isUnusable: true, mayReconnect: true },
  cluster_down: { replies: /^CLUSTERDOWN/, isPartial: true },
  not_authenticated: { replies: /^(?:NOAUTH|WRONGPASS)/, isUnusable: true, mayReconnect: true },
  // Without a code of its own inside a script; 7.0, and 7.2 and later.
  no_permission: { replies: /^(?:NOPERM|ERR The user executing the script|ERR ACL failure)/, isPartial: true },
  out_of_memory: { replies: /^OOM/ },
  cannot_save: { replies: /^MISCONF/ },
  no_replicas: { replies: /^NOREPLICAS/ },
  script_running: { replies: /^BUSY /, isUnusable: true },
} as const satisfies Record<string, FaultDefinition>;

export type RedisFault = keyof typeof REDIS_FAULTS;

const DEFINITIONS = Object.entries(REDIS_FAULTS) as [RedisFault, FaultDefinition][];
/** If no server of a cluster can be asked, ioredis appends the error of the last one. */
const PREFACE = /^Failed to refresh slots cache\.\s*/;
/** A fault that has not occurred for this long is over. Longer than the usual interval of a scrape. */
export const FAULT_MEMORY_MS = 30_000;

/** Returns undefined if the message is not from Redis, or of no named kind. */
export function faultIn(message: string): RedisFault | undefined {
  const reply = message.replace(PREFACE, '');
  return DEFINITIONS.find(([, { replies }]) => replies.test(reply))?.[0];
}

export function isUnusable(fault: RedisFault | undefined): boolean {
  return fault !== undefined && definitionOf(fault).isUnusable === true;
}

export function mayReconnect(fault: RedisFault | undefined): boolean {
  return fault !== undefined && definitionOf(fault).mayReconnect === true;
}

interface RedisFaultsListener {
  readonly begun: (fault: RedisFault, reason: string) => void;
  readonly ended: (fault: RedisFault) => void;
}

/** The current faults of Redis. */
export class RedisFaults {
  /** When each fault last occurred, on the performance.now() clock. */
  private readonly shown = new Map<RedisFault, number>();

  constructor(private readonly listener: RedisFaultsListener) {}

  get current(): readonly RedisFault[] {
    return [...this.shown.keys()];
  }

  /** A command has failed. Returns the fault, if it has a name. */
  note(message: string, now = performance.now()): RedisFault | undefined {
    const fault = faultIn(message);
    if (fault === undefined) return undefined;
    const isNew = !this.shown.has(fault);
    this.shown.set(fault, now);
    if (isNew) this.listener.begun(fault, message);
    return fault;
  }

  /** Every server that takes commands has accepted a probe that was sent at this time. */
  proven(sentAt: number): void {
    for (const [fault, shownAt] of this.shown) {
      if (!definitionOf(fault).isPartial && shownAt <= sentAt) this.end(fault);
    }
  }

  /** Ends faults that have not occurred for a while. */
  fade(now = performance.now()): void {
    for (const [fault, shownAt] of this.shown) if (now - shownAt > FAULT_MEMORY_MS) this.end(fault);
  }

  private end(fault: RedisFault): void {
    this.shown.delete(fault);
    this.listener.ended(fault);
  }
}

function definitionOf(fault: RedisFault): FaultDefinition {
  return REDIS_FAULTS[fault];
}
