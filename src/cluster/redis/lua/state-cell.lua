-- Reads a part of the keys in one cell of a state channel.
--
-- KEYS: meta, log, state, due, area, cells. ARGV: fresh epoch, PUBLISH or SPUBLISH, pub/sub channel, grid, cell, the key
-- to go on behind or nothing, how many. Returns epoch, seq of the last publication of the cell, the key to go on behind
-- or nothing, then for each key itself, its entry, and whether its time is over.
-- @include history
-- @include state
local at, cell, count = placesOf(KEYS), ARGV[5], tonumber(ARGV[7])
local fields = known(at, ARGV[1], ARGV[2], ARGV[3], ARGV[4])
local reply, time = { fields[1] or ARGV[1], tonumber(redis.call('HGET', at.cells, cell) or '0'), '' }, now()
local places = placesIn(at, cell, ARGV[6], count)
for index, place in ipairs(places) do
  local key = string.sub(place, #cell + 2)
  local entry = redis.call('HGET', at.state, key)
  if entry then
    reply[#reply + 1] = key
    reply[#reply + 1] = entry
    reply[#reply + 1] = tonumber(redis.call('ZSCORE', at.due, key) or 'inf') <= time and 1 or 0
  end
  if index == count then reply[3] = key end
end
return reply
