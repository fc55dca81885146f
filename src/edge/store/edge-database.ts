import type { ClassicLevel } from 'classic-level';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import type { EdgeEvents } from '../edge-events.js';

export type Write =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: string };

export interface Range {
  readonly after: string;
  readonly before: string;
  readonly limit: number;
}

/**
 * A sorted map on the disk. Every method throws if the disk fails, with one exception: `read` may pass over a damaged
 * block without an error, as LevelDB does. So every store keeps a count of what it has.
 */
export interface EdgeDatabase {
  get(key: string): Promise<Buffer | undefined>;
  read(range: Range): Promise<readonly (readonly [string, Buffer])[]>;
  /**
   * All of it or nothing, and on the disk when it resolves.
   *
   * @param isFlushed false: a crash of the machine may lose the last writes, in their order
   */
  write(writes: readonly Write[], isFlushed?: boolean): Promise<void>;
  /** Removes everything between two keys. */
  clear(range: Omit<Range, 'limit'>): Promise<void>;
  close(): Promise<void>;
}

/** Records of one read. */
const PAGE = 1_000;

/** Everything between two keys, read page by page. @throws Error if the disk fails */
export async function* entriesIn(
  database: EdgeDatabase,
  { after, before }: Omit<Range, 'limit'>,
): AsyncIterable<readonly [key: string, value: Buffer]> {
  for (let from = after; ;) {
    const page = await database.read({ after: from, before, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    [from] = last;
  }
}

/** @param isDamaged repairs it first, because it could not be read or written */
export type OpenDatabase = (isDamaged?: boolean) => Promise<EdgeDatabase>;

type Level = ClassicLevel<string, Buffer>;
type LevelClass = typeof ClassicLevel;
interface LevelError extends Error {
  readonly code?: string | undefined;
  readonly cause?: unknown;
}

/** Where the last seq and the clock are. Without it, everything is counted again. */
export const META = 'meta';

/** Which store of an edge node; also its folder in EDGE_DIR. */
export type StoreName = 'outbox' | 'mirror' | 'orders';

interface OpenOptions {
  readonly name?: StoreName;
  readonly load?: () => Promise<{ readonly ClassicLevel: LevelClass }>;
}

/**
 * Returns what opens a database in a folder. A corrupt one is repaired, or set aside for a new one.
 *
 * @param options `load` loads the package, which may not be installed
 * @throws UnusableSettings with the line that installs it
 */
export async function databaseOpener(
  folder: string,
  events: EdgeEvents,
  { name = 'outbox', load = () => import('classic-level') }: OpenOptions = {},
): Promise<OpenDatabase> {
  const { ClassicLevel: LevelClass } = await load().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UnusableSettings(['EDGE_DIR needs a package that is not installed. Run: npm install classic-level@3']);
  });
  const path = join(folder, name);
  return async (isDamaged = false) =>
    databaseOver(await (isDamaged ? repaired : openOrRepair)(LevelClass, path, events));
}

/**
 * Opens a database and reads what a store needs of it. It is repaired if that shows that it is damaged.
 *
 * @throws what opens the database throws; Error if the disk fails
 */
export async function openAndLoad<T>(
  openDatabase: OpenDatabase,
  load: (database: EdgeDatabase) => Promise<T>,
): Promise<{ readonly database: EdgeDatabase; readonly loaded: T }> {
  const database = await openDatabase();
  try {
    return { database, loaded: await load(database) };
  } catch (error) {
    await database.close();
    if (!isCorrupt(error as LevelError)) throw error;
    const again = await openDatabase(true);
    return { database: again, loaded: await load(again) };
  }
}

async function openOrRepair(LevelClass: LevelClass, path: string, events: EdgeEvents): Promise<Level> {
  try {
    return await open(LevelClass, path);
  } catch (error) {
    if (!isCorrupt(error as LevelError)) throw error;
    return repaired(LevelClass, path, events);
  }
}

async function repaired(LevelClass: LevelClass, path: string, events: EdgeEvents): Promise<Level> {
  // LevelDB aborts the process for some damage. The next start must not try the same again.
  const attempt = `${path}.repairing`;
  try {
    if (existsSync(attempt)) throw new Error('the last repair did not end');
    writeFileSync(attempt, '');
    await LevelClass.repair(path);
    const level = await open(LevelClass, path);
    // What was repaired may be of different times.
    await level.del(META);
    events.emit('fault', 'repaired', path);
    return level;
  } catch {
    const aside = `${path}-corrupt-${Date.now()}`;
    renameSync(path, aside);
    const level = await open(LevelClass, path);
    events.emit('fault', 'set_aside', aside);
    return level;
  } finally {
    rmSync(attempt, { force: true });
  }
}

async function open(LevelClass: LevelClass, path: string): Promise<Level> {
  mkdirSync(path, { recursive: true });
  const level: Level = new LevelClass(path, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  try {
    await level.open();
    return level;
  } catch (error) {
    const { code, message } = causeOf(error as LevelError);
    if (code === 'LEVEL_LOCKED') throw new UnusableSettings([`EDGE_DIR: ${path} is in use by another process`]);
    throw Object.assign(new Error(`${path} cannot be opened: ${message}`, { cause: error }), { code });
  }
}

function databaseOver(level: Level): EdgeDatabase {
  return {
    get: (key) => level.get(key),
    read: ({ after, before, limit }) => level.iterator({ gt: after, lt: before, limit }).all(),
    write: (writes, isFlushed = true) => level.batch([...writes], { sync: isFlushed }),
    clear: ({ after, before }) => level.clear({ gt: after, lt: before }),
    close: () => level.close(),
  };
}

/** LevelDB says so in words: a missing or unreadable file is corruption, too. */
export function isCorrupt(error: LevelError): boolean {
  const { code, message } = causeOf(error);
  return (
    code === 'LEVEL_CORRUPTION' ||
    /corrupt|does not exist|no such file|bad record|checksum|invalid argument/i.test(message)
  );
}

function causeOf(error: LevelError): LevelError {
  return error.code === 'LEVEL_DATABASE_NOT_OPEN' && error.cause instanceof Error ? error.cause : error;
}
