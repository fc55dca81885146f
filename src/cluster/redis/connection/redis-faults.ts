interface FaultDefinition {
  /** What the error replies of Redis begin with. */
  readonly replies: RegExp;
  /** Nothing that this server says can be used: commands are refused here until another, or a better one, answers. */
  readonly isUnusable?: true;
  /** A new connection may lead to another server, or log in with the present password. */
  readonly mayReconnect?: true;
  /** Only some commands meet it, so that a successful probe proves nothing. */
  readonly isPartial?: true;
}

/** Why Redis refuses commands, by the name that /ready, the log and the metric show. docs/redis.md explains each; a test compares. */
export const REDIS_FAULTS = {
  read_only: { replies: /^READONLY/, isUnusable: true, mayReconnect: true },
  loading: { replies: /^LOADING/, isUnusable: true, mayReconnect: true },
  master_down: { replies: /^MASTERDOWN/, isUnusable: true, mayReconnect: true },
  cluster_down: { replies: /^CLUSTERDOWN/, isPartial: true },
  not_authenticated: { replies: /^(?:NOAUTH|WRONGPASS)/, isUnusable: true, mayReconnect: true },
  // Without a code of its own where a script meets it; 7.0, and 7.2 and later.
  no_permission: { replies: /^(?:NOPERM|ERR The user executing the script|ERR ACL failure)/, isPartial: true },
  out_of_memory: { replies: /^OOM/ },
  cannot_save: { replies: /^MISCONF/ },
  no_replicas: { replies: /^NOREPLICAS/ },
  script_running: { replies: /^BUSY /, isUnusable: true },
} as const satisfies Record<string, FaultDefinition>;

export type RedisFault = keyof typeof REDIS_FAULTS;

const DEFINITIONS = Object.entries(REDIS_FAULTS) as [RedisFault, FaultDefinition][];
/** Of a cluster none of whose servers can be asked, ioredis appends what the last one said. */
const PREFACE = /^Failed to refresh slots cache\.\s*/;
/** A fault that nothing has shown for so long is over. Longer than the usual interval of a scrape. */
export const FAULT_MEMORY_MS = 30_000;

/** Undefined where the message is none of Redis, or of no kind that has a name. */
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

/** The faults of Redis that hold now. */
export class RedisFaults {
  /** When each was last shown, on the performance.now() clock. */
  private readonly shown = new Map<RedisFault, number>();

  constructor(private readonly listener: RedisFaultsListener) {}

  get current(): readonly RedisFault[] {
    return [...this.shown.keys()];
  }

  /** A command has failed. Returns the fault that it shows, if any. */
  note(message: string, now = performance.now()): RedisFault | undefined {
    const fault = faultIn(message);
    if (fault === undefined) return undefined;
    const isNew = !this.shown.has(fault);
    this.shown.set(fault, now);
    if (isNew) this.listener.begun(fault, message);
    return fault;
  }

  /** Every server that takes commands has taken a probe that was sent at this time. */
  proven(sentAt: number): void {
    for (const [fault, shownAt] of this.shown) {
      if (!definitionOf(fault).isPartial && shownAt <= sentAt) this.end(fault);
    }
  }

  /** Ends what has not been shown for a while. */
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
