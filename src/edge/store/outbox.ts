import type { ForwardRule } from '../../../config/edge-file.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { EdgeEvents, EdgeOutcome, StoreFault } from '../edge-events.js';
import { isCorrupt, META, openAndLoad, type EdgeDatabase, type OpenDatabase } from './edge-database.js';
import { Reopening } from './reopening.js';
import { OutboxBatch, type Append, type Removal } from './outbox-batch.js';
import { OutboxClock } from './outbox-clock.js';
import { encodeRecord } from './outbox-record.js';
import type { OutboxStream, ReadLimits, Stored, Unreadable } from './outbox-stream.js';
import { encodeMeta, loadStore, type LoadedStore } from './stored-streams.js';
import type { Loss, StreamCounts } from './stream-counts.js';

/** A message that is to be stored. */
export interface OutboxMessage {
  readonly channel: string;
  readonly data: unknown;
  readonly key?: string | undefined;
}

interface OutboxParts {
  readonly openDatabase: OpenDatabase;
  readonly rules: readonly ForwardRule[];
  readonly events: EdgeEvents;
}

/** A larger message is refused. */
const MAX_RECORD_BYTES = 1_048_576;
/** What waits for the disk, at most. */
const MAX_WAITING_BYTES = 67_108_864;
/** Records of one write. */
const MAX_BATCH = 2_000;
const CLOCK_CHECK_MS = 10_000;

/**
 * Messages for the centre, on the disk. Those of one turn of the event loop are written together, and each promise
 * resolves when the disk has them.
 */
export class Outbox {
  readonly clock: OutboxClock;
  private appends: Append[] = [];
  private removals: Removal[] = [];
  private waitingBytes = 0;
  private lastSeq: number;
  private isWriting = false;
  /** Undefined: the disk has failed, and the store is closed until it is tried again. */
  private database: EdgeDatabase | undefined;
  private isClosed = false;
  private readonly clockTimer = setInterval(() => this.checkClock(), CLOCK_CHECK_MS).unref();
  private readonly reopening = new Reopening(
    (isDamaged) => this.reopen(isDamaged),
    (error) => this.parts.events.emit('fault', 'write_failed', withCode(error)),
  );
  /** By the name of the rule. */
  readonly streams: ReadonlyMap<string, OutboxStream>;

  private constructor(
    private readonly parts: OutboxParts,
    database: EdgeDatabase,
    { streams, lastSeq, reading }: LoadedStore,
  ) {
    this.database = database;
    this.streams = streams;
    this.lastSeq = lastSeq;
    this.clock = new OutboxClock(reading);
  }

  /** @throws UnusableSettings if another process uses the folder; Error if the disk fails */
  static async open(parts: OutboxParts): Promise<Outbox> {
    const load = (database: EdgeDatabase): Promise<LoadedStore> => loadStore(database, parts.rules);
    const { database, loaded } = await openAndLoad(parts.openDatabase, load);
    return new Outbox(parts, database, loaded);
  }

  /** Whether the disk takes messages. */
  get isWell(): boolean {
    return this.database !== undefined;
  }

  /**
   * Resolves with the seq when the message is on the disk. Messages of one caller keep their order.
   *
   * @throws GatehouseError SERVER_BUSY if the outbox is full or the disk fails, MESSAGE_TOO_LARGE; TypeError or
   *   RangeError for data that cannot be encoded
   */
  async append(rule: ForwardRule, { channel, data, key }: OutboxMessage): Promise<number> {
    const stream = this.streams.get(rule.name);
    if (stream === undefined || this.database === undefined || this.isClosed) throw this.refused('failed', rule);
    const seq = this.lastSeq + 1;
    const value = encodeRecord({ seq, run: stream.run, at: this.clock.now(), ttlMs: rule.ttlMs, key, channel, data });
    const { length } = value;
    if (length > MAX_RECORD_BYTES) throw new GatehouseError('MESSAGE_TOO_LARGE');
    if (this.waitingBytes + length > MAX_WAITING_BYTES) throw this.refused('rejected', rule);
    if (rule.onFull === 'reject' && stream.isFullFor(length)) throw this.refused('rejected', rule);
    this.lastSeq = seq;
    this.waitingBytes += length;
    stream.waitingBytes += length;
    await new Promise<number>((resolve, reject) => {
      this.appends.push({ stream, seq, value, resolve, reject });
      this.schedule();
    }).finally(() => (this.waitingBytes -= length));
    return seq;
  }

  /** Reads the oldest records of a stream. Those that the disk has lost are counted. @throws Error if the disk fails */
  async read(stream: OutboxStream, limits: ReadLimits): Promise<readonly Stored[]> {
    const { stored, unreadable } = await stream.read(this.demandDatabase(), limits).catch(async (error: Error) => {
      if (isCorrupt(error)) await this.giveUp(error, 'damaged');
      throw error;
    });
    if (unreadable !== undefined) await this.writeOff(stream, unreadable);
    return stored;
  }

  /** How long the oldest message has waited, in milliseconds. Undefined: none waits, or it cannot be read. */
  async oldestAge(): Promise<number | undefined> {
    const { database } = this;
    if (database === undefined) return undefined;
    const oldest = await Promise.all([...this.streams.values()].map((stream) => stream.peek(database)));
    const times = oldest.flatMap((each) => each?.record?.at ?? []);
    return times.length === 0 ? undefined : Math.max(0, this.clock.now() - Math.min(...times));
  }

  /** Removes records from the front. @throws Error if the disk fails: they are still there */
  remove(stream: OutboxStream, stored: readonly Stored[], lost: Partial<Record<Loss, number>> = {}): Promise<void> {
    return this.submit({ stream, stored, lost });
  }

  /** The centre knows of these losses. @throws Error if the disk fails: it is told again */
  told(stream: OutboxStream, told: Partial<Record<Loss, number>>): Promise<void> {
    return this.submit({ stream, stored: [], lost: {}, told });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.clockTimer);
    this.reopening.end();
    await this.reopening.running;
    while (this.isWriting) await new Promise((resolve) => setImmediate(resolve));
    const { database } = this;
    this.database = undefined;
    await database?.close().catch(() => undefined);
  }

  private submit(removal: Omit<Removal, 'resolve' | 'reject'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.removals.push({ ...removal, resolve, reject });
      this.schedule();
    });
  }

  private async writeOff(stream: OutboxStream, unreadable: Unreadable): Promise<void> {
    await this.submit({ stream, stored: [], unreadable, lost: { damaged: unreadable.count } });
    this.parts.events.emit('settled', 'damaged', stream.name, unreadable.count);
  }

  private schedule(): void {
    if (this.isWriting) return;
    this.isWriting = true;
    setImmediate(() => void this.writeAll());
  }

  private async writeAll(): Promise<void> {
    while (this.appends.length > 0 || this.removals.length > 0) {
      const appends = this.appends.splice(0, MAX_BATCH);
      const batch = new OutboxBatch(appends, this.removals.splice(0));
      try {
        await this.write(batch);
        for (const [stream, count] of countsIn(appends)) this.parts.events.emit('settled', 'queued', stream, count);
      } catch (error) {
        for (const [stream, count] of countsIn(appends)) this.parts.events.emit('settled', 'failed', stream, count);
        batch.fail(unwritable());
        await this.giveUp(error as Error);
      }
    }
    this.isWriting = false;
  }

  private async write(batch: OutboxBatch): Promise<void> {
    const database = this.demandDatabase();
    const writes = await batch.plan(database);
    const meta = { type: 'put', key: META, value: encodeMeta(this.lastSeq, this.clock.reading()) } as const;
    await database.write([...writes, meta]);
    batch.settle(this.parts.events);
  }

  /** After a failed write LevelDB takes no more, and nobody knows what it has of that one: the store is opened again. */
  private async giveUp(fault: Error, name: StoreFault = 'write_failed'): Promise<void> {
    const { database } = this;
    if (database === undefined) return;
    this.database = undefined;
    this.parts.events.emit('fault', name, withCode(fault));
    await database.close().catch(() => undefined);
    this.reopening.begin(isCorrupt(fault));
  }

  private async reopen(isDamaged: boolean): Promise<void> {
    const { openDatabase, rules } = this.parts;
    const { database, loaded } = await openAndLoad(
      (again = isDamaged) => openDatabase(again),
      (opened) => loadStore(opened, rules),
    );
    this.lastSeq = Math.max(this.lastSeq, loaded.lastSeq);
    for (const [name, { counts }] of loaded.streams) this.recount(name, counts, isDamaged);
    this.database = database;
    for (const stream of this.streams.values()) stream.notify();
  }

  /** What was acknowledged, and is not there after a repair, is lost. */
  private recount(name: string, counts: StreamCounts, isRepaired: boolean): void {
    const damaged = this.streams.get(name)?.recount(counts, isRepaired) ?? 0;
    if (damaged > 0) this.parts.events.emit('settled', 'damaged', name, damaged);
  }

  private demandDatabase(): EdgeDatabase {
    if (this.database === undefined) throw unwritable();
    return this.database;
  }

  private refused(outcome: EdgeOutcome, { name }: ForwardRule): GatehouseError {
    this.parts.events.emit('settled', outcome, name, 1);
    return outcome === 'failed' ? unwritable() : new GatehouseError('SERVER_BUSY', { message: 'The outbox is full' });
  }

  private checkClock(): void {
    const moved = this.clock.jump();
    if (moved !== 0) this.parts.events.emit('fault', 'clock_jumped', `${moved} ms`);
  }
}

function unwritable(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { message: 'The outbox cannot be written' });
}

function withCode({ message, code }: NodeJS.ErrnoException): string {
  return code === undefined ? message : `${code}: ${message}`;
}

function countsIn(appends: readonly Append[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { stream } of appends) counts.set(stream.name, (counts.get(stream.name) ?? 0) + 1);
  return counts;
}
