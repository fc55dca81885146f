import type { ChannelName } from '../../cluster/ports/broker.js';
import type { EdgeEvents } from '../edge-events.js';
import { isCorrupt, openAndLoad, type EdgeDatabase, type OpenDatabase, type Write } from '../store/edge-database.js';
import { Reopening } from '../store/reopening.js';
import type { MirrorLog } from './mirror-log.js';
import { boundsOf, encodeHead, encodePublication, headKeyOf, NO_HEAD, publicationKeyOf } from './mirror-record.js';
import { loadLogs, type LoadedLogs } from './stored-logs.js';

/** What is on the disk of a log. Another log of the same channel replaces all of it. */
interface Saved {
  readonly log: MirrorLog;
  last: number;
  /** No publication before this one is there. */
  first: number;
}

/** Publications of one write. */
const MAX_BATCH = 500;

/**
 * Copies logs to the disk, for the next start. The log in memory is what clients get, so a disk that is slow or fails
 * holds nobody up: what was not copied is asked of the centre again.
 */
export class MirrorStore {
  /** The logs that the disk lacks something of; undefined: the channel is to be forgotten. */
  private readonly changes = new Map<ChannelName, MirrorLog | undefined>();
  private readonly saved = new Map<ChannelName, Saved>();
  private writing: Promise<void> | undefined;
  private database: EdgeDatabase | undefined;
  private readonly reopening = new Reopening(
    (isDamaged) => this.reopen(isDamaged),
    (error) => this.events.emit('fault', 'write_failed', `mirror: ${error.message}`),
  );
  /** What an earlier run has left. */
  readonly loaded: ReadonlyMap<ChannelName, MirrorLog>;

  private constructor(
    private readonly openDatabase: OpenDatabase,
    private readonly events: EdgeEvents,
    database: EdgeDatabase,
    { logs, unlike }: LoadedLogs,
  ) {
    this.database = database;
    this.loaded = logs;
    for (const [name, log] of logs) {
      if (!unlike.has(name)) this.saved.set(name, { log, last: log.seq, first: 0 });
    }
    for (const [name, log] of unlike) this.changed(name, log);
  }

  /** @throws UnusableSettings if another process uses the folder; Error if the disk fails */
  static async open(openDatabase: OpenDatabase, events: EdgeEvents): Promise<MirrorStore> {
    const { database, loaded } = await openAndLoad(openDatabase, loadLogs);
    const { damaged } = loaded;
    if (damaged > 0) events.emit('fault', 'damaged', `mirror: records of ${damaged} channels cannot be read`);
    return new MirrorStore(openDatabase, events, database, loaded);
  }

  /** @param log undefined: forget the channel */
  changed(name: ChannelName, log: MirrorLog | undefined): void {
    this.changes.set(name, log);
    this.schedule();
  }

  async close(): Promise<void> {
    for (let work = this.work; work !== undefined; work = this.work) await work;
    this.reopening.end();
    const { database } = this;
    this.database = undefined;
    await database?.close().catch(() => undefined);
  }

  /** What must not be interrupted by a close. */
  private get work(): Promise<void> | undefined {
    return this.reopening.running ?? this.writing;
  }

  private schedule(): void {
    if (this.database !== undefined) this.writing ??= this.writeAll(this.database);
  }

  private async writeAll(database: EdgeDatabase): Promise<void> {
    // What arrives in one turn of the event loop is written together.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [name, log] of this.changes) {
      this.changes.delete(name);
      try {
        await this.write(database, name, log);
      } catch (error) {
        if (!this.changes.has(name)) this.changes.set(name, log);
        await this.giveUp(error as Error);
        break;
      }
    }
    this.writing = undefined;
    if (this.changes.size > 0) this.schedule();
  }

  private async write(database: EdgeDatabase, name: ChannelName, log: MirrorLog | undefined): Promise<void> {
    if (log === undefined) {
      await this.clear(database, name);
      await database.write([{ type: 'del', key: headKeyOf(name) }], false);
      return void this.saved.delete(name);
    }
    const known = this.saved.get(name);
    const saved = known?.log === log ? known : { log, last: 0, first: 0 };
    if (saved !== known) await this.clear(database, name);
    this.saved.set(name, saved);
    const last = await append(database, name, saved);
    const first = log.publications[0]?.seq ?? log.seq + 1;
    if (first > saved.first) await database.clear({ ...boundsOf(name), before: publicationKeyOf(name, first) });
    saved.first = first;
    if (last < log.seq && !this.changes.has(name)) this.changes.set(name, log);
  }

  /** A crash may leave some of them: without a head, they are no damage. */
  private async clear(database: EdgeDatabase, name: ChannelName): Promise<void> {
    await database.write([{ type: 'put', key: headKeyOf(name), value: NO_HEAD }], false);
    await database.clear(boundsOf(name));
  }

  /** Nobody knows what the disk has: all of it is written again when it can be. */
  private async giveUp(fault: NodeJS.ErrnoException): Promise<void> {
    const { database } = this;
    const { code, message } = fault;
    this.database = undefined;
    this.events.emit('fault', 'write_failed', `mirror: ${code === undefined ? message : `${code}: ${message}`}`);
    await database?.close().catch(() => undefined);
    for (const [name, { log }] of this.saved) if (!this.changes.has(name)) this.changes.set(name, log);
    this.saved.clear();
    this.reopening.begin(isCorrupt(fault));
  }

  private async reopen(isDamaged: boolean): Promise<void> {
    this.database = await this.openDatabase(isDamaged);
    this.schedule();
  }
}

/** Writes the next publications behind what is there, and how far the log is on the disk. */
async function append(database: EdgeDatabase, name: ChannelName, saved: Saved): Promise<number> {
  const { log } = saved;
  const start = log.indexAfter(saved.last);
  const some = log.publications.slice(start, start + MAX_BATCH);
  const isAll = start + some.length === log.publications.length;
  const seq = isAll ? log.seq : (some.at(-1)?.seq ?? log.seq);
  const { epoch, continues, wentBack } = log;
  const kept = { first: log.publications[0]?.seq ?? seq + 1, count: start + some.length };
  const writes: Write[] = some.map((publication) => ({
    type: 'put',
    key: publicationKeyOf(name, publication.seq),
    value: encodePublication(epoch, publication),
  }));
  await database.write(
    [...writes, { type: 'put', key: headKeyOf(name), value: encodeHead({ epoch, seq, continues, wentBack, kept }) }],
    false,
  );
  saved.last = seq;
  return seq;
}
