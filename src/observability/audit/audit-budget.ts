import type { AuditGroup } from './audit-catalogue.js';

export interface AuditLimits {
  /** Lines a period that one source can cause in a group; zero: no limit. */
  readonly perSource: number;
  /** Lines a period that all sources can cause in a group; zero: no limit. */
  readonly perGroup: number;
}

/** Lines that were left out in a period. */
export interface LeftOut {
  readonly group: AuditGroup;
  /** An address or user; undefined: several that are told together. */
  readonly source: string | undefined;
  readonly sources: number;
  readonly leftOut: number;
}

/** Sources that are told apart in a period and group; those beyond share what one may. 4,096 take about 1 MB. */
const MAX_SOURCES = 4_096;
/** Sources whose omissions are told one by one; the rest is one line. */
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
      // Not told apart, so one that comes twice counts twice.
      this.pendingEvents += 1;
      return this.others;
    }
    const source = { written: 0, leftOut: 0 };
    this.sources.set(key, source);
    return source;
  }
}

/** Bounds the audit lines that clients can cause in a period, by who causes them and in all, and counts what is left out. */
export class AuditBudget {
  private groups = new Map<AuditGroup, Group>();

  constructor(private readonly limits: AuditLimits) {}

  /** Whether one more line may be written. @param source an address or user, of bounded length */
  take(name: AuditGroup, source: string): boolean {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new Group(name, this.limits);
      this.groups.set(name, group);
    }
    return group.take(source);
  }

  /** Ends the period. Returns what was left out in it; the next one begins with nothing written. */
  turn(): LeftOut[] {
    const leftOut = [...this.groups.values()].flatMap((group) => group.leftOut());
    this.groups = new Map();
    return leftOut;
  }
}

/** Whether one more would break the limit; zero means there is none. */
function exceeds(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
