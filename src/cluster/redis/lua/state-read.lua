-- Reads a part of the keys of a state channel, or one key.
--
-- KEYS: meta, log, state, due, area, cells. ARGV: fresh epoch, PUBLISH or SPUBLISH, pub/sub channel, the key or nothing, cursor,
-- about how many. Returns epoch, seq, next cursor, then for each key itself, its entry, and whether its time is over.
-- @include history
-- @include state
local at = placesOf(KEYS)
local state, due = at.state, at.due
local fields = known(at, ARGV[1], ARGV[2], ARGV[3], '')
local reply, time = { fields[1] or ARGV[1], tonumber(fields[2] or '0'), '0' }, now()
local found = {}
if ARGV[4] ~= '' then
  local entry = redis.call('HGET', state, ARGV[4])
  if entry then found = { ARGV[4], entry } end
else
  reply[3], found = unpack(redis.call('HSCAN', state, ARGV[5], 'COUNT', ARGV[6]))
end
for index = 1, #found, 2 do
  reply[#reply + 1] = found[index]
  reply[#reply + 1] = found[index + 1]
  reply[#reply + 1] = tonumber(redis.call('ZSCORE', due, found[index]) or 'inf') <= time and 1 or 0
end
return reply
