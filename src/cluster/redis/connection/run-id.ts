import { newEpoch } from '../../ports/epoch.js';
import type { RedisLink } from './redis-link.js';
import { RedisScript } from './redis-script.js';

/** The field of a list that identifies its state. Entries have a colon in their names. The scripts have it too. */
export const LIFE_FIELD = 'life';
/** A list that nobody needs expires by itself. Every new entry renews it. The scripts have it too. */
const MIN_LIFE_MS = 86_400_000;

const LIFE = RedisScript.load('list-life');

/** Identifies the state of a list. A different value later means that entries may have been lost. */
export async function runIdOf(link: RedisLink, [list = '', endings = '']: readonly string[]): Promise<string> {
  return String(await link.run(LIFE, [list, endings], [newEpoch(), MIN_LIFE_MS]));
}
