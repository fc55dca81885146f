import { newEpoch } from './epoch.js';
import type { RedisLink } from './redis-link.js';
import { RedisScript } from './redis-script.js';

/**
 * A server that was restarted, or has taken over, may hold an older state: each life of a server (its run_id) bears another name.
 *
 * KEYS: life. ARGV: a fresh name. Returns the one that stands.
 */
const LIFE = new RedisScript(`
local life, run = redis.call('GET', KEYS[1]), string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not life or string.match(life, '%x+$') ~= run then
  life = ARGV[1] .. ' ' .. run
  redis.call('SET', KEYS[1], life)
end
return life
`);

/** Names the state of what lies under a tag: another name later means that it may be an older one, or nothing. */
export async function lifeOf(link: RedisLink, tag: string): Promise<string> {
  return String(await link.run(LIFE, [link.key(tag, 'life')], [newEpoch()]));
}
