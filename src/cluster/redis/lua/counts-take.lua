-- States the count if there is room for it. Places of other nodes count while the node has a lease, or while the
-- number is younger than a lease, because the node may be newer than the list. Places of lost nodes are removed, if
-- the list is of this run.
--
-- KEYS: places. ARGV: as STATE, then limit or 0, lease, the incarnations with a lease. Returns 1, or 0 if there is no
-- room.
-- @include counts-state-own
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
