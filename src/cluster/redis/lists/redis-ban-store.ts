import { banOf, type Ban, type BanStore } from '../../ports/ban-store.js';
import { recordOf } from './json-record.js';
import { MAX_BANS } from '../../memory/memory-ban-store.js';
import { LIFE_FIELD, runIdOf, MIN_LIFE_MS } from '../connection/run-id.js';
import type { RedisLink } from '../connection/redis-link.js';
import { recordsIn } from './redis-records.js';
import { RedisScript } from '../connection/redis-script.js';

/** Bans removed in one script, so that none keeps Redis busy for long. */
const PORTION = 1_000;
/** Bans written again, or indexed, in one script. */
const RESTATED_AT_ONCE = 100;

/** KEYS: list (ban by name), endings (names by time), breaches (the same, without bans of operators). */
const BANS = `
local list, endings, breaches = KEYS[1], KEYS[2], KEYS[3]
local function drop(names)
  if #names == 0 then return end
  redis.call('HDEL', list, unpack(names))
  redis.call('ZREM', endings, unpack(names))
  redis.call('ZREM', breaches, unpack(names))
end
local function index(name, ending, isBreach)
  redis.call('ZADD', endings, ending, name)
  if isBreach == '1' then redis.call('ZADD', breaches, ending, name) else redis.call('ZREM', breaches, name) end
end
local function put(name, ending, ban, isBreach)
  redis.call('HSET', list, name, ban)
  index(name, ending, isBreach)
end
-- Where there are too many, some give way; then all live as long as the one that ends last.
local function bound(now, most)
  local surplus = math.min(redis.call('ZCARD', endings) - tonumber(most), ${PORTION})
  if surplus > 0 then
    local first = redis.call('ZRANGE', breaches, 0, surplus - 1)
    drop(#first > 0 and first or redis.call('ZRANGE', endings, 0, surplus - 1))
  end
  local last = tonumber(redis.call('ZRANGE', endings, -1, -1, 'WITHSCORES')[2] or now)
  local life = string.format('%.0f', math.max(last - tonumber(now), ${MIN_LIFE_MS}))
  for _, key in ipairs({ list, endings, breaches }) do redis.call('PEXPIRE', key, life) end
end
`;

/**
 * ARGV: time, most bans, then for a new one: name, its end, ban, 1 if a breach made it. Removes expired bans, in
 * batches. Returns 0 if the list and its index have different sizes.
 */
const TIDY = new RedisScript(`${BANS}
drop(redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ${PORTION}))
local count = redis.call('HLEN', list) - redis.call('HEXISTS', list, '${LIFE_FIELD}')
if not ARGV[3] then return count == redis.call('ZCARD', endings) and 1 or 0 end
if ARGV[6] == '1' then
  local present = tonumber(redis.call('ZSCORE', endings, ARGV[3]) or 0) > tonumber(ARGV[1])
  if present and not redis.call('ZSCORE', breaches, ARGV[3]) then return 1 end
end
put(ARGV[3], ARGV[4], ARGV[5], ARGV[6])
bound(ARGV[1], ARGV[2])
return 1
`);

/**
 * ARGV: time, most bans, then for each: name, its end, ban, 1 if a breach made it. An existing ban stays, unless an
 * operator's lasts longer. Returns the number of bans that were stored.
 */
const RESTATE = new RedisScript(`${BANS}
local taken = 0
for at = 3, #ARGV, 4 do
  local present = redis.call('HEXISTS', list, ARGV[at]) == 1
  local ending = tonumber(redis.call('ZSCORE', endings, ARGV[at]) or 0)
  if not present or (ARGV[at + 3] == '0' and tonumber(ARGV[at + 1]) > ending) then
    put(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    taken = taken + 1
  end
end
bound(ARGV[1], ARGV[2])
return taken
`);

/** ARGV: for each, name, its end, 1 if a breach made it. Indexes those again that are in the list. */
const INDEX = new RedisScript(`${BANS}
for at = 1, #ARGV, 3 do
  if redis.call('HEXISTS', list, ARGV[at]) == 1 then index(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
end
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

/** KEYS: list, endings, breaches. ARGV: names, each followed by its value. Removes those that still have this value. */
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

/** The bans of all nodes, in Redis. */
export class RedisBanStore implements BanStore {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly maxBans = MAX_BANS,
  ) {
    this.keys = ['list', 'endings', 'breaches'].map((part) => link.key('bans', part));
  }

  async put(ban: Ban): Promise<void> {
    // An expired ban must still replace the one before.
    await this.link.run(TIDY, this.keys, [Date.now(), this.maxBans, ...written(ban)]);
  }

  async restate(bans: readonly Ban[]): Promise<number> {
    let taken = 0;
    for (let start = 0; start < bans.length; start += RESTATED_AT_ONCE) {
      const portion = bans.slice(start, start + RESTATED_AT_ONCE).filter(isInForce);
      const parameters = [Date.now(), this.maxBans, ...portion.flatMap(written)];
      if (portion.length > 0) taken += Number(await this.link.run(RESTATE, this.keys, parameters));
    }
    return taken;
  }

  async lift(kind: Ban['kind'], key: string): Promise<boolean> {
    const ban = (await this.link.run(LIFT, this.keys, [nameOf(kind, key)])) as Buffer | null;
    const lifted = ban === null ? undefined : banOf(recordOf(ban.toString()));
    return lifted !== undefined && isInForce(lifted);
  }

  async list(): Promise<readonly Ban[]> {
    const isIndexed = (await this.link.run(TIDY, this.keys, [Date.now(), this.maxBans])) === 1;
    const [list = ''] = this.keys;
    const bans = await recordsIn(this.link, list, {
      read: (record, name) => named(banOf(record), name),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    if (!isIndexed) await this.index(bans);
    return bans.filter(isInForce);
  }

  life(): Promise<string> {
    return runIdOf(this.link, this.keys);
  }

  /** The index of the list was lost, in whole or in part. */
  private async index(bans: readonly Ban[]): Promise<void> {
    const [, endings = '', breaches = ''] = this.keys;
    await this.link.attempt(() => this.link.client.del(endings, breaches));
    for (let start = 0; start < bans.length; start += RESTATED_AT_ONCE) {
      const portion = bans.slice(start, start + RESTATED_AT_ONCE);
      const parameters = portion.map(written).flatMap(([name, until, , isBreach]) => [name, until, isBreach]);
      await this.link.run(INDEX, this.keys, parameters);
    }
  }

  /** A malformed entry must not prevent the others from being read. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2)
      this.link.emit('failed', 'malformed entry in the list of bans');
    await this.link.run(DROP, this.keys, namesAndTexts);
  }
}

function written(ban: Ban): [name: string, until: number, text: string, isBreach: number] {
  return [nameOf(ban.kind, ban.key), ban.until, JSON.stringify(ban), Number(ban.by === 'breach')];
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
