import { newEpoch } from '../../ports/epoch.js';
import type { RedisLink } from './redis-link.js';
import { RedisScript } from './redis-script.js';

/** The field of a list that identifies its state. Entries have a colon in their names. */
export const LIFE_FIELD = 'life';
/** A list that nobody needs expires by itself. Every new entry renews it. */
export const MIN_LIFE_MS = 86_400_000;

/**
 * A list gets a new name in three cases. The server was restarted or replaced (its run_id), so the list may be older.
 * The name is missing: it is part of the list, so it is lost with it. The list and its index have different sizes, so
 * one of them lost something.
 *
 * KEYS: list, endings. ARGV: a fresh name, milliseconds until a list without entries expires. Returns the current name.
 */
const LIFE = new RedisScript(`
local list, endings = KEYS[1], KEYS[2]
local life, run = redis.call('HGET', list, '${LIFE_FIELD}'), string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local isSame = life and string.match(life, '%x+$') == run
if isSame and redis.call('HLEN', list) - 1 == redis.call('ZCARD', endings) then return life end
life = ARGV[1] .. ' ' .. run
redis.call('HSET', list, '${LIFE_FIELD}', life)
if redis.call('PTTL', list) < 0 then redis.call('PEXPIRE', list, ARGV[2]) end
return life
`);

/** Identifies the state of a list. A different value later means that entries may have been lost. */
export async function runIdOf(link: RedisLink, [list = '', endings = '']: readonly string[]): Promise<string> {
  return String(await link.run(LIFE, [list, endings], [newEpoch(), MIN_LIFE_MS]));
}
