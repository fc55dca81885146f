import { newEpoch } from '../../ports/epoch.js';
import type { RedisLink } from './redis-link.js';
import { RedisScript } from './redis-script.js';

/** The field of a list that names its life. Entries have a colon in their names. */
export const LIFE_FIELD = 'life';
/** A list that nobody needs any more expires by itself; every new entry renews it. */
export const MIN_LIFE_MS = 86_400_000;

/**
 * Three things end the life of a list. The server was restarted or replaced (its run_id): it may hold an older state. The name
 * is gone: it lies in the list itself, so it is lost with it. The list and its endings do not count the same: one of them lost
 * something.
 *
 * KEYS: list, endings. ARGV: a fresh name, milliseconds until a list without entries expires. Returns the name that stands.
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

/** Names the state of a list: another name later means that the list may have lost entries, or all of them. */
export async function runIdOf(link: RedisLink, [list = '', endings = '']: readonly string[]): Promise<string> {
  return String(await link.run(LIFE, [list, endings], [newEpoch(), MIN_LIFE_MS]));
}
