import { RedisScript } from '../connection/redis-script.js';

/**
 * The places of a user or an address are a hash: `<count>:<time>:<version>` by incarnation. A node states its number as
 * a whole. The version orders its statements, so that a late one does not undo a newer one.
 */
const STATE_OWN = `
local places, me, count, version, life, former = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if former ~= '' then redis.call('HDEL', places, former) end
local function state()
  local known = redis.call('HGET', places, me)
  local latest = known and tonumber(string.match(known, '^%d+:%d+:(%d+)$'))
  if latest and latest > version then return end
  if count == '0' then
    redis.call('HDEL', places, me)
  else
    redis.call('HSET', places, me, string.format('%s:%.0f:%.0f', count, now, version))
    redis.call('PEXPIRE', places, life)
  end
end
`;

/** KEYS: places. ARGV: incarnation, count, version, lifetime of the key, former incarnation of this node or ''. */
export const STATE = new RedisScript(`${STATE_OWN}
state()
return 1
`);

/**
 * States the count if there is room for it. Places of other nodes count while the node has a lease, or while the number
 * is younger than a lease, because the node may be newer than the list. Places of lost nodes are removed, if the list
 * is of this run.
 *
 * KEYS: places. ARGV: as STATE, then limit or 0, lease, the incarnations with a lease. Returns 1, or 0 if there is no
 * room.
 */
export const TAKE = new RedisScript(`${STATE_OWN}
local limit, lease, live, others = tonumber(ARGV[6]), tonumber(ARGV[7]), {}, 0
for index = 8, #ARGV do live[ARGV[index]] = true end
local fields = redis.call('HGETALL', places)
for index = 1, #fields, 2 do
  local name = fields[index]
  if name ~= me then
    local number, stamp = string.match(fields[index + 1], '^(%d+):(%d+)')
    if not number then
      redis.call('HDEL', places, name)
    elseif live[name] or now - tonumber(stamp) < lease then
      others = others + tonumber(number)
    elseif live[me] then
      redis.call('HDEL', places, name)
    end
  end
end
if limit > 0 and others + tonumber(count) > limit then return 0 end
state()
return 1
`);
