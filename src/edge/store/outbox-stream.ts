import { randomBytes } from 'node:crypto';
import type { ForwardRule } from '../../../config/edge-file.js';
import { boundsOf, decodeRecord, seqIn, type OutboxRecord } from './outbox-record.js';
import type { EdgeDatabase } from './edge-database.js';
import { changed, NO_COUNTS, type Change, type StreamCounts } from './stream-counts.js';

/** A record as it lies on the disk. */
export interface Stored {
  readonly key: string;
  readonly bytes: number;
  readonly seq: number;
  /** Undefined if it is damaged. */
  readonly record: OutboxRecord | undefined;
}

export interface ReadLimits {
  readonly records: number;
  readonly bytes: number;
}

/** Records that the stream has by its counts, and that cannot be read. */
export type Unreadable = Pick<StreamCounts, 'count' | 'bytes'>;

export interface Reading {
  readonly stored: readonly Stored[];
  /** Undefined: there is something to read, or nothing is missing. */
  readonly unreadable: Unreadable | undefined;
}

const PAGE = 256;

/** The records of one rule, in order, and how many there are. */
export class OutboxStream {
  /**
   * The centre keeps a mark for each run, so it holds records of one order. Two rules may send to the same channel in
   * any order. A store that was copied or restored counts on from an old seq, so each start begins a new run.
   */
  readonly run = randomBytes(9).toString('base64url');
  counts: StreamCounts = NO_COUNTS;
  /** Bytes that wait for the disk. */
  waitingBytes = 0;
  /** Records up to this one are under way to the centre, and are not dropped. */
  private underWay: string;
  /**
   * Everything up to here is gone. Reading from the start would pass every deleted record again, until LevelDB has tidied
   * up: a full outbox would take hours to send.
   */
  private readFrom: string;
  /** Everything between what is under way and here was dropped. */
  private droppedTo: string;
  private readonly before: string;
  private wake: (() => void) | undefined;
  private readonly emptied: (() => void)[] = [];
  private turn: Promise<void> = Promise.resolve();

  constructor(readonly rule: ForwardRule) {
    const { after, before } = boundsOf(rule.name);
    this.readFrom = this.underWay = this.droppedTo = after;
    this.before = before;
  }

  get name(): string {
    return this.rule.name;
  }

  get isEmpty(): boolean {
    return this.counts.count === 0;
  }

  /** Whether this many bytes more would be too many. */
  isFullFor(bytes: number): boolean {
    return this.counts.bytes + this.waitingBytes + bytes > this.rule.maxBytes;
  }

  /** Reads the oldest records, as many as the limits allow, but at least one. They are under way from now on. */
  async read(database: EdgeDatabase, limits: ReadLimits): Promise<Reading> {
    const release = await this.lock();
    try {
      // What joins the stream while it is read counts later.
      const { count, bytes } = this.counts;
      const stored = await this.readAfter(database, this.readFrom, limits);
      this.underWay = stored.at(-1)?.key ?? this.readFrom;
      return { stored, unreadable: stored.length === 0 && count > 0 ? { count, bytes } : undefined };
    } finally {
      release();
    }
  }

  /** The oldest record, which is not under way because of this. */
  async peek(database: EdgeDatabase): Promise<Stored | undefined> {
    if (this.isEmpty) return undefined;
    return (await this.readAfter(database, this.readFrom, { records: 1, bytes: 0 }))[0];
  }

  /** The oldest records that are not under way, of at least this many bytes. Call it with the lock. */
  async oldest(database: EdgeDatabase, bytes: number): Promise<readonly Stored[]> {
    const found: Stored[] = [];
    let after = [this.readFrom, this.underWay, this.droppedTo].toSorted().at(-1) ?? '';
    for (let sum = 0; sum < bytes;) {
      const page = await this.readAfter(database, after, { records: PAGE, bytes: bytes - sum });
      const last = page.at(-1);
      if (last === undefined) break;
      for (const each of page) sum += each.bytes;
      found.push(...page);
      after = last.key;
    }
    return found;
  }

  /** Reading and dropping take turns, so that no record is both sent and dropped. Returns what ends the turn. */
  async lock(): Promise<() => void> {
    const previous = this.turn;
    let release = (): void => {};
    this.turn = new Promise((resolve) => (release = resolve));
    await previous;
    return release;
  }

  /** Records are on the disk, or gone from it. */
  apply(changes: readonly Change[]): void {
    this.counts = changes.reduce(changed, this.counts);
    if (changes.some(({ count }) => count > 0)) this.notify();
    if (this.isEmpty) this.emptied.splice(0).forEach((wake) => wake());
  }

  /** The store was opened again. Returns how many records a repair has cost. */
  recount(counts: StreamCounts, isRepaired: boolean): number {
    const before = this.counts;
    this.counts = counts;
    if (!isRepaired) return 0;
    const { count, bytes } = counts;
    const damaged = Math.max(0, before.count - count);
    this.counts = changed(before, { count: count - before.count, bytes: bytes - before.bytes, lost: { damaged } });
    return damaged;
  }

  /** Everything up to this record was removed. */
  passed(key: string): void {
    if (key > this.readFrom) this.readFrom = key;
    if (this.readFrom >= this.underWay && this.droppedTo > this.readFrom) this.readFrom = this.droppedTo;
  }

  /** Everything that is not under way, up to this record, was dropped. */
  dropped(key: string): void {
    this.droppedTo = key;
    this.passed(this.readFrom);
  }

  /** Calls back once, when there are records again. */
  onAppended(wake: () => void): void {
    this.wake = wake;
  }

  /** Calls back once, when there are none. */
  onEmptied(wake: () => void): void {
    if (this.isEmpty) wake();
    else this.emptied.push(wake);
  }

  notify(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }

  private async readAfter(database: EdgeDatabase, after: string, { records, bytes }: ReadLimits) {
    const entries = await database.read({ after, before: this.before, limit: records });
    const stored: Stored[] = [];
    let sum = 0;
    for (const [key, value] of entries) {
      if (stored.length > 0 && sum + value.length > bytes) break;
      sum += value.length;
      const seq = seqIn(key);
      stored.push({ key, seq, bytes: value.length, record: decodeRecord(seq, value) });
    }
    return stored;
  }
}
