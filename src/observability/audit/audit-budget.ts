import type { AuditGroup } from './audit-catalogue.js';

export interface AuditLimits {
  /** Lines in a period that one source can cause in a group. 0 means no limit. */
  readonly perSource: number;
  /** Lines in a period that all sources can cause in a group. 0 means no limit. */
  readonly perGroup: number;
}

/** Lines that were omitted in a period. */
export interface LeftOut {
  readonly group: AuditGroup;
  /** An address or user. Undefined: several sources together. */
  readonly source: string | undefined;
  readonly sources: number;
  readonly leftOut: number;
}

/** Sources that are counted separately in a period and group. Further ones share one budget. 4,096 take about 1 MB. */
const MAX_SOURCES = 4_096;
/** Sources whose omissions are reported one by one. The others share one line. */
const MAX_TOLD = 20;

interface Source {
  written: number;
  leftOut: number;
}

class Group {
  private readonly sources = new Map<string, Source>();
  private readonly others: Source = { written: 0, leftOut: 0 };
  private pendingEvents = 0;
  private written = 0;

  constructor(
    readonly name: AuditGroup,
    private readonly limits: AuditLimits,
  ) {}

  take(key: string): boolean {
    const source = this.sourceOf(key);
    const { perSource, perGroup } = this.limits;
    if (exceeds(source.written, perSource) || exceeds(this.written, perGroup)) {
      source.leftOut += 1;
      return false;
    }
    source.written += 1;
    this.written += 1;
    return true;
  }

  leftOut(): LeftOut[] {
    const { name: group } = this;
    const silenced = [...this.sources].filter(([, { leftOut }]) => leftOut > 0);
    silenced.sort(([, one], [, other]) => other.leftOut - one.leftOut);
    const told = silenced.slice(0, MAX_TOLD).map(([source, { leftOut }]) => ({ group, source, sources: 1, leftOut }));
    const rest = silenced.slice(MAX_TOLD);
    const ofRest = rest.reduce((sum, [, { leftOut }]) => sum + leftOut, this.others.leftOut);
    if (ofRest === 0) return told;
    return [...told, { group, source: undefined, sources: rest.length + this.pendingEvents, leftOut: ofRest }];
  }

  private sourceOf(key: string): Source {
    const known = this.sources.get(key);
    if (known) return known;
    if (this.sources.size >= MAX_SOURCES) {
      // Not counted separately, so a source that comes twice counts twice.
      this.pendingEvents += 1;
      return this.others;
    }
    const source = { written: 0, leftOut: 0 };
    this.sources.set(key, source);
    return source;
  }
}

/**
 * Limits the audit lines that clients can cause in a period, for each source and in total, and counts what is omitted.
 */
export class AuditBudget {
  private groups = new Map<AuditGroup, Group>();

  constructor(private readonly limits: AuditLimits) {}

  /**
   * Whether another line may be written.
   *
   * @param source an address or user, of bounded length
   */
  take(name: AuditGroup, source: string): boolean {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new Group(name, this.limits);
      this.groups.set(name, group);
    }
    return group.take(source);
  }

  /** Ends the period. Returns what was omitted in it. The next period begins with nothing written. */
  turn(): LeftOut[] {
    const leftOut = [...this.groups.values()].flatMap((group) => group.leftOut());
    this.groups = new Map();
    return leftOut;
  }
}

/** Whether one more would break the limit. 0 means no limit. */
function exceeds(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
