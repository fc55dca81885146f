import { ExpiringTable } from './expiring-table.js';

export interface Penalty {
  /** Which offence in a row it is for. */
  readonly count: number;
  readonly durationMs: number;
}

/** An offence is forgotten after a time as long as its ban, but no shorter than this. */
const MIN_MEMORY_MS = 3_600_000;
/** Offenders that are remembered, in 3 MiB; beyond it the next offence of whoever was to be forgotten soonest is a first one again. */
const MAX_REMEMBERED = 131_072;

/** How often an address has been banned for breaches, one after the other, and for how long the next ban is. */
export class BanEscalation {
  private readonly counts = new ExpiringTable(MAX_REMEMBERED);

  /** @param maxMs what the doubling of `firstMs` ends at; not below that */
  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {}

  /** What the next offence costs. @param now milliseconds since 1970 */
  next(address: string, now: number): Penalty {
    const count = this.countOf(address, now) + 1;
    return { count, durationMs: Math.max(this.firstMs, Math.min(this.maxMs, this.firstMs * 2 ** (count - 1))) };
  }

  /** It has been banned so often by now, this time until then. This node may know of more. */
  remember(address: string, count: number, { now, until }: { readonly now: number; readonly until: number }): void {
    const most = Math.max(count, this.countOf(address, now));
    this.counts.set(address, most, { now, until: until + Math.max(MIN_MEMORY_MS, until - now) });
  }

  forget(address: string): void {
    this.counts.delete(address);
  }

  /** How many were forgotten before their time, for there were too many. */
  get dropped(): number {
    return this.counts.dropped;
  }

  private countOf(address: string, now: number): number {
    return this.counts.get(address, now) ?? 0;
  }
}
