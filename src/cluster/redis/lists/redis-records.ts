import { recordOf } from './json-record.js';
import { LIFE_FIELD } from '../connection/run-id.js';
import type { RedisLink } from '../connection/redis-link.js';

/** Entries in one reply of Redis, so that none keeps it busy for long. */
const BATCH_SIZE = 1_000;

interface Reading<T> {
  /** Returns undefined if the entry is malformed, or under another name than its own, where nobody could lift it. */
  readonly read: (record: unknown, name: string) => T | undefined;
  /** Called with malformed entries, in batches: names, each followed by its value. */
  readonly drop: (namesAndTexts: readonly string[]) => Promise<void>;
}

/** Reads all records of a list. */
export async function recordsIn<T>(link: RedisLink, hash: string, { read, drop }: Reading<T>): Promise<readonly T[]> {
  // A scan may return a record twice.
  const found = new Map<string, T>();
  let cursor = '0';
  do {
    const [next, fields] = await link.attempt(() => link.client.hscan(hash, cursor, 'COUNT', BATCH_SIZE));
    const bad: string[] = [];
    for (let index = 0; index < fields.length; index += 2) {
      const [name = '', text = ''] = fields.slice(index, index + 2);
      if (name === LIFE_FIELD) continue;
      const record = read(recordOf(text), name);
      if (record === undefined) bad.push(name, text);
      else found.set(name, record);
    }
    if (bad.length > 0) await drop(bad);
    cursor = next;
  } while (cursor !== '0');
  return [...found.values()];
}
