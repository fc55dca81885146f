import { recordOf } from './json-record.js';
import { lifeOf } from './redis-life.js';
import type { RedisLink } from './redis-link.js';
import { recordsIn } from './redis-records.js';
import { RedisScript } from './redis-script.js';
import { MAX_REVOCATIONS, nameOf, revocationOf, type Revocation, type RevocationStore } from './revocation-store.js';

const TAG = 'revocations';
/** A key that nobody needs any more goes by itself; each new revocation renews it. */
const MIN_LIFE_MS = 86_400_000;
/** Dropped in one script, so that none keeps Redis busy for long. */
const PORTION = 1_000;

/**
 * KEYS: list (revocation by name), endings (names by time). ARGV: time, then for a new one: most of them, name, time of its
 * end, revocation. Drops those whose time is over, in portions. Returns 0 where there are too many for a new one.
 */
const TIDY = new RedisScript(`
local list, endings = KEYS[1], KEYS[2]
local ended = redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ${PORTION})
if #ended > 0 then
  redis.call('HDEL', list, unpack(ended))
  redis.call('ZREM', endings, unpack(ended))
end
if not ARGV[2] then return 1 end
local isNew = redis.call('HEXISTS', list, ARGV[3]) == 0
if isNew and redis.call('HLEN', list) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', list, ARGV[3], ARGV[5])
redis.call('ZADD', endings, ARGV[4], ARGV[3])
local last = tonumber(redis.call('ZRANGE', endings, -1, -1, 'WITHSCORES')[2])
local life = string.format('%.0f', math.max(last - tonumber(ARGV[1]), ${MIN_LIFE_MS}))
redis.call('PEXPIRE', list, life)
redis.call('PEXPIRE', endings, life)
return 1
`);

/** KEYS: list, endings. ARGV: name, and perhaps what it must be. Returns the revocation. */
const LIFT = new RedisScript(`
local revocation = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] and ARGV[2] ~= revocation then return false end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return revocation
`);

/** The revocations of all nodes, kept in Redis. */
export class RedisRevocationStore implements RevocationStore {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly max = MAX_REVOCATIONS,
  ) {
    this.keys = ['list', 'endings'].map((part) => link.key(TAG, part));
  }

  async put(revocation: Revocation): Promise<boolean> {
    const { until } = revocation;
    const values = [Date.now(), this.max, nameOf(revocation), until, JSON.stringify(revocation)];
    return (await this.link.run(TIDY, this.keys, values)) === 1;
  }

  async lift(kind: Revocation['kind'], key: string): Promise<boolean> {
    const text = (await this.link.run(LIFT, this.keys, [nameOf({ kind, key })])) as Buffer | null;
    const lifted = text === null ? undefined : revocationOf(recordOf(text.toString()));
    return lifted !== undefined && isInForce(lifted);
  }

  async list(): Promise<readonly Revocation[]> {
    await this.link.run(TIDY, this.keys, [Date.now()]);
    const [list = ''] = this.keys;
    const revocations = await recordsIn(this.link, list, {
      read: (record, name) => named(revocationOf(record), name),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    return revocations.filter(isInForce);
  }

  life(): Promise<string> {
    return lifeOf(this.link, TAG);
  }

  /** What no revocation is must not take the place of one. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2) {
      this.link.emit('failed', 'An entry in the list of revocations was none');
      await this.link.run(LIFT, this.keys, namesAndTexts.slice(index, index + 2));
    }
  }
}

function named(revocation: Revocation | undefined, name: string): Revocation | undefined {
  return revocation !== undefined && nameOf(revocation) === name ? revocation : undefined;
}

function isInForce({ until }: Revocation): boolean {
  return until > Date.now();
}
