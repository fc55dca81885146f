import { recordOf } from './json-record.js';
import { LIFE_FIELD } from '../connection/run-id.js';
import type { RedisLink } from '../connection/redis-link.js';

/** In one reply of Redis, so that none keeps it busy for long. */
const PORTION = 1_000;

interface Reading<T> {
  /** Undefined for what is none, or lies under another name than its own: nobody could lift it there. */
  readonly read: (record: unknown, name: string) => T | undefined;
  /** Told of those, in portions: names, each followed by what it has. */
  readonly drop: (namesAndTexts: readonly string[]) => Promise<void>;
}

/** All records of a list. */
export async function recordsIn<T>(link: RedisLink, hash: string, { read, drop }: Reading<T>): Promise<readonly T[]> {
  // A scan may bring one twice.
  const found = new Map<string, T>();
  let cursor = '0';
  do {
    const [next, fields] = await link.attempt(() => link.client.hscan(hash, cursor, 'COUNT', PORTION));
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
