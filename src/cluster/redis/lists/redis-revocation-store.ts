import { recordOf } from './json-record.js';
import { LIFE_FIELD, runIdOf, MIN_LIFE_MS } from '../connection/run-id.js';
import type { RedisLink } from '../connection/redis-link.js';
import { recordsIn } from './redis-records.js';
import { RedisScript } from '../connection/redis-script.js';
import {
  MAX_REVOCATIONS,
  nameOf,
  revocationOf,
  type Restated,
  type Revocation,
  type RevocationStore,
} from '../../ports/revocation-store.js';

const TAG = 'revocations';
/** Entries removed in one script, so that none keeps Redis busy for long. */
const PORTION = 1_000;
/** Revocations written again, or indexed, in one script. */
const RESTATED_AT_ONCE = 100;

/** KEYS: list (revocation by name), endings (names by time). */
const REVOCATIONS = `
local list, endings = KEYS[1], KEYS[2]
-- Returns whether there is room for it.
local function put(name, ending, revocation, most)
  local isNew = redis.call('HEXISTS', list, name) == 0
  if isNew and redis.call('ZCARD', endings) >= tonumber(most) then return false end
  redis.call('HSET', list, name, revocation)
  redis.call('ZADD', endings, ending, name)
  return true
end
local function renew(now)
  local last = tonumber(redis.call('ZRANGE', endings, -1, -1, 'WITHSCORES')[2] or now)
  local life = string.format('%.0f', math.max(last - tonumber(now), ${MIN_LIFE_MS}))
  redis.call('PEXPIRE', list, life)
  redis.call('PEXPIRE', endings, life)
end
`;

/**
 * ARGV: time, then for a new one: most entries, name, its end, revocation. Removes expired ones, in batches. Returns 0
 * if there is no room for a new one, or, without a new one, if the list and its index have different sizes.
 */
const TIDY = new RedisScript(`${REVOCATIONS}
local ended = redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ${PORTION})
if #ended > 0 then
  redis.call('HDEL', list, unpack(ended))
  redis.call('ZREM', endings, unpack(ended))
end
local count = redis.call('HLEN', list) - redis.call('HEXISTS', list, '${LIFE_FIELD}')
if not ARGV[2] then return count == redis.call('ZCARD', endings) and 1 or 0 end
if not put(ARGV[3], ARGV[4], ARGV[5], ARGV[2]) then return 0 end
renew(ARGV[1])
return 1
`);

/**
 * ARGV: time, most entries, then for each: name, its end, revocation. Returns how many were stored, and how many had no
 * room.
 */
const RESTATE = new RedisScript(`${REVOCATIONS}
local taken, refused = 0, 0
for at = 3, #ARGV, 3 do
  if redis.call('HGET', list, ARGV[at]) ~= ARGV[at + 2] then
    if put(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[2]) then taken = taken + 1 else refused = refused + 1 end
  end
end
renew(ARGV[1])
return { taken, refused }
`);

/** ARGV: for each, name and its end. Indexes those again that are in the list. */
const INDEX = new RedisScript(`
for at = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then redis.call('ZADD', KEYS[2], ARGV[at + 1], ARGV[at]) end
end
return 1
`);

/** KEYS: list, endings. ARGV: name, and optionally the value that it must have. Returns the revocation. */
const LIFT = new RedisScript(`
local revocation = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] and ARGV[2] ~= revocation then return false end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return revocation
`);

/** The revocations of all nodes, in Redis. */
export class RedisRevocationStore implements RevocationStore {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly max = MAX_REVOCATIONS,
  ) {
    this.keys = ['list', 'endings'].map((part) => link.key(TAG, part));
  }

  async put(revocation: Revocation): Promise<boolean> {
    return (await this.link.run(TIDY, this.keys, [Date.now(), this.max, ...written(revocation)])) === 1;
  }

  async restate(revocations: readonly Revocation[]): Promise<Restated> {
    let [taken, refused] = [0, 0];
    for (let start = 0; start < revocations.length; start += RESTATED_AT_ONCE) {
      const portion = revocations.slice(start, start + RESTATED_AT_ONCE).filter(isInForce);
      if (portion.length === 0) continue;
      const parameters = [Date.now(), this.max, ...portion.flatMap(written)];
      const [more, without] = (await this.link.run(RESTATE, this.keys, parameters)) as [number, number];
      taken += more;
      refused += without;
    }
    return { taken, refused };
  }

  async lift(kind: Revocation['kind'], key: string): Promise<boolean> {
    const text = (await this.link.run(LIFT, this.keys, [nameOf({ kind, key })])) as Buffer | null;
    const lifted = text === null ? undefined : revocationOf(recordOf(text.toString()));
    return lifted !== undefined && isInForce(lifted);
  }

  async list(): Promise<readonly Revocation[]> {
    const isIndexed = (await this.link.run(TIDY, this.keys, [Date.now()])) === 1;
    const [list = ''] = this.keys;
    const revocations = await recordsIn(this.link, list, {
      read: (record, name) => named(revocationOf(record), name),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    if (!isIndexed) await this.index(revocations);
    return revocations.filter(isInForce);
  }

  life(): Promise<string> {
    return runIdOf(this.link, this.keys);
  }

  /** The index of the list was lost, in whole or in part. */
  private async index(revocations: readonly Revocation[]): Promise<void> {
    const [, endings = ''] = this.keys;
    await this.link.attempt(() => this.link.client.del(endings));
    for (let start = 0; start < revocations.length; start += RESTATED_AT_ONCE) {
      const portion = revocations.slice(start, start + RESTATED_AT_ONCE);
      const parameters = portion.flatMap((one) => [nameOf(one), one.until]);
      await this.link.run(INDEX, this.keys, parameters);
    }
  }

  /** A malformed entry must not take the place of a revocation. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2) {
      this.link.emit('failed', 'malformed entry in the list of revocations');
      await this.link.run(LIFT, this.keys, namesAndTexts.slice(index, index + 2));
    }
  }
}

function written(revocation: Revocation): [name: string, until: number, text: string] {
  return [nameOf(revocation), revocation.until, JSON.stringify(revocation)];
}

function named(revocation: Revocation | undefined, name: string): Revocation | undefined {
  return revocation !== undefined && nameOf(revocation) === name ? revocation : undefined;
}

function isInForce({ until }: Revocation): boolean {
  return until > Date.now();
}
