import type { EdgeEvents } from '../edge-events.js';
import type { EdgeDatabase, Write } from './edge-database.js';
import { keyOf } from './outbox-record.js';
import type { OutboxStream, Stored, Unreadable } from './outbox-stream.js';
import { countsKeyOf } from './stored-streams.js';
import { changed, encodeCounts, type Change, type Loss } from './stream-counts.js';

/** A record that is to be written. */
export interface Append {
  readonly stream: OutboxStream;
  readonly seq: number;
  readonly value: Buffer;
  readonly resolve: (seq: number) => void;
  readonly reject: (error: Error) => void;
}

/** Records that are to be removed from the front. */
export interface Removal {
  readonly stream: OutboxStream;
  readonly stored: readonly Stored[];
  readonly unreadable?: Unreadable;
  /** Those that the centre does not have. */
  readonly lost: Partial<Record<Loss, number>>;
  /** Losses that the centre was told. */
  readonly told?: Partial<Record<Loss, number>>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const NOTHING: Unreadable = { count: 0, bytes: 0 };

/** What is written in one step. */
export class OutboxBatch {
  private readonly changes = new Map<OutboxStream, Change[]>();
  private readonly drops = new Map<OutboxStream, readonly Stored[]>();
  private readonly releases: (() => void)[] = [];

  constructor(
    private readonly appends: readonly Append[],
    private readonly removals: readonly Removal[],
  ) {}

  /** Call `settle` or `fail` afterwards, whatever this does. */
  async plan(database: EdgeDatabase): Promise<Write[]> {
    const writes: Write[] = [];
    for (const { stream, stored, unreadable = NOTHING, lost, told } of this.removals) {
      for (const { key } of stored) writes.push({ type: 'del', key });
      const count = -stored.length - unreadable.count;
      this.note(stream, { count, bytes: -bytesOf(stored) - unreadable.bytes, lost, told });
    }
    for (const { stream, seq, value } of this.appends) {
      writes.push({ type: 'put', key: keyOf(stream.name, seq), value });
      this.note(stream, { count: 1, bytes: value.length });
    }
    for (const stream of new Set(this.appends.map((append) => append.stream))) {
      for (const { key } of await this.drop(stream, database)) writes.push({ type: 'del', key });
    }
    for (const [stream, made] of this.changes) {
      writes.push({
        type: 'put',
        key: countsKeyOf(stream.name),
        value: encodeCounts(made.reduce(changed, stream.counts)),
      });
    }
    return writes;
  }

  /** It is on the disk. */
  settle(events: EdgeEvents): void {
    for (const [stream, dropped] of this.drops) stream.dropped(dropped.at(-1)?.key ?? '');
    for (const { stream, stored } of this.removals) stream.passed(stored.at(-1)?.key ?? '');
    for (const [stream, made] of this.changes) stream.apply(made);
    for (const { stream, value } of this.appends) stream.waitingBytes -= value.length;
    this.release();
    for (const [stream, { length }] of this.drops) events.emit('settled', 'dropped', stream.name, length);
    for (const { seq, resolve } of this.appends) resolve(seq);
    for (const { resolve } of this.removals) resolve();
  }

  fail(error: Error): void {
    for (const { stream, value } of this.appends) stream.waitingBytes -= value.length;
    this.release();
    for (const { reject } of [...this.appends, ...this.removals]) reject(error);
  }

  /** The oldest records, if the new ones do not fit. */
  private async drop(stream: OutboxStream, database: EdgeDatabase): Promise<readonly Stored[]> {
    const { maxBytes, onFull } = stream.rule;
    const after = (this.changes.get(stream) ?? []).reduce(changed, stream.counts);
    if (onFull !== 'drop_oldest' || after.bytes <= maxBytes) return [];
    this.releases.push(await stream.lock());
    const dropped = await stream.oldest(database, after.bytes - maxBytes);
    if (dropped.length === 0) return [];
    this.drops.set(stream, dropped);
    this.note(stream, { count: -dropped.length, bytes: -bytesOf(dropped), lost: { dropped: dropped.length } });
    return dropped;
  }

  private note(stream: OutboxStream, change: Change): void {
    const made = this.changes.get(stream) ?? [];
    made.push(change);
    this.changes.set(stream, made);
  }

  private release(): void {
    for (const release of this.releases) release();
  }
}

function bytesOf(stored: readonly Stored[]): number {
  return stored.reduce((sum, { bytes }) => sum + bytes, 0);
}
