-- KEYS: list (ban by name), endings (names by time), breaches (the same, without bans of operators).
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
  local surplus = math.min(redis.call('ZCARD', endings) - tonumber(most), 1000)
  if surplus > 0 then
    local first = redis.call('ZRANGE', breaches, 0, surplus - 1)
    drop(#first > 0 and first or redis.call('ZRANGE', endings, 0, surplus - 1))
  end
  local last = tonumber(redis.call('ZRANGE', endings, -1, -1, 'WITHSCORES')[2] or now)
  local life = string.format('%.0f', math.max(last - tonumber(now), 86400000))
  for _, key in ipairs({ list, endings, breaches }) do redis.call('PEXPIRE', key, life) end
end
