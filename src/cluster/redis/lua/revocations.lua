-- KEYS: list (revocation by name), endings (names by time).
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
  local life = string.format('%.0f', math.max(last - tonumber(now), 86400000))
  redis.call('PEXPIRE', list, life)
  redis.call('PEXPIRE', endings, life)
end
