-- KEYS: list (record by name), endings (names by time), breaches (the same, only of yielding records). ARGV: time, most
-- records, `whenFull` and `restated` of the type; then for each record: name, its end, text, 1 if it is yielding.
local list, endings, breaches = KEYS[1], KEYS[2], KEYS[3]
local function drop(names)
  if #names == 0 then return end
  redis.call('HDEL', list, unpack(names))
  redis.call('ZREM', endings, unpack(names))
  redis.call('ZREM', breaches, unpack(names))
end
local function index(name, ending, isYielding)
  redis.call('ZADD', endings, ending, name)
  if isYielding == '1' then redis.call('ZADD', breaches, ending, name) else redis.call('ZREM', breaches, name) end
end
local function endingOf(name) return tonumber(redis.call('ZSCORE', endings, name) or 0) end
-- JSON escapes quotes within its texts, so only the field itself reads like this.
local function isOfService(text) return string.find(text, '"givenAs":"SERVICE"', 1, true) ~= nil end
-- Returns the text of a record in force, if someone above gave it. One that is missing in the index may be in force.
local function outOfReach(name, isBelow, now)
  local text = isBelow and redis.call('HGET', list, name)
  if not text or isOfService(text) or redis.call('ZSCORE', breaches, name) then return false end
  local ending = redis.call('ZSCORE', endings, name)
  return (not ending or tonumber(ending) > tonumber(now)) and text
end
-- Returns whether there is room for the record at this place of ARGV.
local function put(at)
  local isRefused = ARGV[3] == 'refuse' and redis.call('HEXISTS', list, ARGV[at]) == 0
  if isRefused and redis.call('ZCARD', endings) >= tonumber(ARGV[2]) then return false end
  redis.call('HSET', list, ARGV[at], ARGV[at + 2])
  index(ARGV[at], ARGV[at + 1], ARGV[at + 3])
  return true
end
-- If there are too many, some are removed. Then the keys expire with the record that ends last.
local function bound()
  local now = tonumber(ARGV[1])
  local surplus = math.min(redis.call('ZCARD', endings) - tonumber(ARGV[2]), 1000)
  if ARGV[3] == 'drop' and surplus > 0 then
    local first = redis.call('ZRANGE', breaches, 0, surplus - 1)
    drop(#first > 0 and first or redis.call('ZRANGE', endings, 0, surplus - 1))
  end
  local last = tonumber(redis.call('ZRANGE', endings, -1, -1, 'WITHSCORES')[2] or now)
  local life = string.format('%.0f', math.max(last - now, 86400000))
  for _, key in ipairs({ list, endings, breaches }) do redis.call('PEXPIRE', key, life) end
end
