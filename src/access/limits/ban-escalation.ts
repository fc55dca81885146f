import { ExpiringTable } from './expiring-table.js';

export interface Penalty {
  /** Which offence in a row it is for. */
  readonly count: number;
  readonly durationMs: number;
}

/** An offence is forgotten after as long as its ban lasted, at least after this time. */
const MIN_MEMORY_MS = 3_600_000;
/**
 * Offenders that are remembered, in 3 MiB. Beyond it, the one that would be forgotten first starts again with its first
 * offence.
 */
const MAX_REMEMBERED = 131_072;

/** Counts the offences of addresses in a row, and gives the duration of the next ban. */
export class BanEscalation {
  private readonly counts = new ExpiringTable(MAX_REMEMBERED);

  /** @param maxMs the limit of doubling `firstMs`; not below `firstMs` */
  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {}

  /**
   * The next offence and the duration of its ban.
   *
   * @param now milliseconds since 1970
   */
  next(address: string, now: number): Penalty {
    const count = this.countOf(address, now) + 1;
    return { count, durationMs: Math.max(this.firstMs, Math.min(this.maxMs, this.firstMs * 2 ** (count - 1))) };
  }

  /** Takes over a ban of another node, which may know of more offences. */
  remember(address: string, count: number, { now, until }: { readonly now: number; readonly until: number }): void {
    const most = Math.max(count, this.countOf(address, now));
    this.counts.set(address, most, { now, until: until + Math.max(MIN_MEMORY_MS, until - now) });
  }

  forget(address: string): void {
    this.counts.delete(address);
  }

  /** Number of offenders that were forgotten too early because there were too many. */
  get dropped(): number {
    return this.counts.dropped;
  }

  private countOf(address: string, now: number): number {
    return this.counts.get(address, now) ?? 0;
  }
}
