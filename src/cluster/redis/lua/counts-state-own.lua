-- The places of a user or an address are a hash: `<count>:<time>:<version>` by incarnation. A node states its number
-- as a whole. The version orders its statements, so that a late one does not undo a newer one.
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
