import { banOf, type Ban, type BanStore } from './ban-store.js';
import { recordOf } from './json-record.js';
import { MAX_BANS } from './memory-ban-store.js';
import { lifeOf } from './redis-life.js';
import type { RedisLink } from './redis-link.js';
import { recordsIn } from './redis-records.js';
import { RedisScript } from './redis-script.js';

/** A key that nobody needs any more goes by itself; bans may last longer, and then it is renewed by each. */
const MIN_LIFE_MS = 86_400_000;
/** Bans dropped in one script, so that none keeps Redis busy for long. */
const PORTION = 1_000;

/**
 * KEYS: list (ban by name), endings (names by time), breaches (the same of those that no operator made). ARGV: time, most
 * bans, then for a new one: name, time of its end, ban, 1 where a breach made it. Drops what has ended, in portions.
 */
const TIDY = new RedisScript(`
local list, endings, breaches = KEYS[1], KEYS[2], KEYS[3]
local function drop(names)
  if #names == 0 then return end
  redis.call('HDEL', list, unpack(names))
  redis.call('ZREM', endings, unpack(names))
  redis.call('ZREM', breaches, unpack(names))
end
drop(redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ${PORTION}))
if not ARGV[3] then return 1 end
if ARGV[6] == '1' then
  local present = tonumber(redis.call('ZSCORE', endings, ARGV[3]) or 0) > tonumber(ARGV[1])
  if present and not redis.call('ZSCORE', breaches, ARGV[3]) then return 0 end
  redis.call('ZADD', breaches, ARGV[4], ARGV[3])
else
  redis.call('ZREM', breaches, ARGV[3])
end
redis.call('HSET', list, ARGV[3], ARGV[5])
redis.call('ZADD', endings, ARGV[4], ARGV[3])
local surplus = math.min(redis.call('ZCARD', endings) - tonumber(ARGV[2]), ${PORTION})
if surplus > 0 then
  local first = redis.call('ZRANGE', breaches, 0, surplus - 1)
  drop(#first > 0 and first or redis.call('ZRANGE', endings, 0, surplus - 1))
end
local last = tonumber(redis.call('ZRANGE', endings, -1, -1, 'WITHSCORES')[2])
local life = math.max(last - tonumber(ARGV[1]), ${MIN_LIFE_MS})
redis.call('PEXPIRE', list, string.format('%.0f', life))
redis.call('PEXPIRE', endings, string.format('%.0f', life))
redis.call('PEXPIRE', breaches, string.format('%.0f', life))
return 1
`);

/** KEYS: list, endings, breaches. ARGV: name. Returns the ban. */
const LIFT = new RedisScript(`
local ban = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return ban
`);

/** KEYS: list, endings, breaches. ARGV: names, each followed by what it had. Drops those that still have it. */
const DROP = new RedisScript(`
for index = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', KEYS[1], ARGV[index])
    redis.call('ZREM', KEYS[2], ARGV[index])
    redis.call('ZREM', KEYS[3], ARGV[index])
  end
end
return 1
`);

/** The bans of all nodes, kept in Redis. */
export class RedisBanStore implements BanStore {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly maxBans = MAX_BANS,
  ) {
    this.keys = ['list', 'endings', 'breaches'].map((part) => link.key('bans', part));
  }

  async put(ban: Ban): Promise<void> {
    const { kind, key, until, by } = ban;
    // One that has ended must still replace the one before.
    const written = [nameOf(kind, key), until, JSON.stringify(ban), Number(by === 'breach')];
    await this.link.run(TIDY, this.keys, [Date.now(), this.maxBans, ...written]);
  }

  async lift(kind: Ban['kind'], key: string): Promise<boolean> {
    const ban = (await this.link.run(LIFT, this.keys, [nameOf(kind, key)])) as Buffer | null;
    const lifted = ban === null ? undefined : banOf(recordOf(ban.toString()));
    return lifted !== undefined && isInForce(lifted);
  }

  async list(): Promise<readonly Ban[]> {
    await this.link.run(TIDY, this.keys, [Date.now(), this.maxBans]);
    const [list = ''] = this.keys;
    const bans = await recordsIn(this.link, list, {
      read: (record, name) => named(banOf(record), name),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    return bans.filter(isInForce);
  }

  life(): Promise<string> {
    return lifeOf(this.link, 'bans');
  }

  /** What no ban is, and must not keep the others from being known. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2)
      this.link.emit('failed', 'An entry in the list of bans was none');
    await this.link.run(DROP, this.keys, namesAndTexts);
  }
}

function isInForce({ until }: Ban): boolean {
  return until > Date.now();
}

function named(ban: Ban | undefined, name: string): Ban | undefined {
  return ban !== undefined && nameOf(ban.kind, ban.key) === name ? ban : undefined;
}

function nameOf(kind: Ban['kind'], key: string): string {
  return `${kind}:${key}`;
}
