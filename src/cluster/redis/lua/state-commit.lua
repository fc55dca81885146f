-- Changes keys of a state channel and publishes the changes, if all keys are at the versions expected.
--
-- KEYS: meta, log, state, due, area, cells. ARGV: fresh epoch, PUBLISH or SPUBLISH, pub/sub channel, size, age,
-- lifetime of the channel if every key goes or 0, the epoch that the node knows, the epoch of the versions or nothing,
-- how many keys at most, how long a key lives or 0, the publication or nothing, the grid or nothing, the number of
-- cells, for each cell its name and its publication, then for each change: key, what (set, remove, keep, check,
-- expire), expected version, owner or -, value, the cell before and the cell afterwards or nothing. Returns `done`,
-- epoch, seq and the epochs before; or `stale`, epoch, and for each key at another version itself, its entry or
-- nothing, and whether its time is over; or `full` and how many more keys fit.
-- @include history
-- @include history-begin
-- @include state
local at = placesOf(KEYS)
local meta, log, state, due, area, cells = at.meta, at.log, at.state, at.due, at.area, at.cells
local time, grid = now(), ARGV[12]
local firstChange = 14 + 2 * tonumber(ARGV[13])
local fields = known(at, ARGV[1], ARGV[2], ARGV[3], grid)
local isOther = ARGV[8] ~= '' and ARGV[8] ~= fields[1]
local stale, growth = { 'stale', fields[1] or '' }, 0
for index = firstChange, #ARGV, 7 do
  local key, what = ARGV[index], ARGV[index + 1]
  local entry = redis.call('HGET', state, key)
  local version = entry and string.match(entry, '^%d+') or '0'
  local goes = entry and tonumber(redis.call('ZSCORE', due, key) or 'inf')
  if what == 'set' and not entry then growth = growth + 1 end
  if what == 'remove' and entry then growth = growth - 1 end
  if isOther or version ~= ARGV[index + 2] or (what == 'expire' and (goes or 0) > time) then
    stale[#stale + 1] = key
    stale[#stale + 1] = entry or ''
    stale[#stale + 1] = (entry and goes <= time) and 1 or 0
  end
end
if #stale > 2 then return stale end
local room = tonumber(ARGV[9]) - redis.call('HLEN', state)
if growth > 0 and growth > room then return { 'full', math.max(0, room) } end
local epoch, seq, former = fields[1] or ARGV[1], tonumber(fields[2] or '0'), fields[4] or ''
if ARGV[11] == '' and not fields[1] then return { 'done', epoch, seq, '' } end
if ARGV[11] ~= '' then
  epoch, seq, former = begin(meta, log, ARGV[1], fields)
  seq = seq + 1
  redis.call('XADD', log, 'MAXLEN', ARGV[4], seq .. '-0', 't', time, 'p', ARGV[11])
  redis.call('HSET', meta, 'seq', seq, 'age', ARGV[5])
  trim(log, time - tonumber(ARGV[5]))
  redis.call('PEXPIRE', log, ARGV[5])
end
local ttl = tonumber(ARGV[10])
for index = firstChange, #ARGV, 7 do
  local key, what = ARGV[index], ARGV[index + 1]
  local before, after = ARGV[index + 5], what == 'set' and ARGV[index + 6] or ''
  local leaves = what == 'set' or what == 'remove' or what == 'expire'
  if leaves and before ~= '' and before ~= after then redis.call('ZREM', area, before .. ' ' .. key) end
  if after ~= '' then redis.call('ZADD', area, 0, after .. ' ' .. key) end
  if what == 'set' then
    redis.call('HSET', state, key, seq .. ' ' .. ARGV[index + 3] .. '\n' .. ARGV[index + 4])
  elseif what == 'remove' or what == 'expire' then
    redis.call('HDEL', state, key)
    redis.call('ZREM', due, key)
  end
  local lives = what == 'set' or (what == 'keep' and ARGV[index + 2] ~= '0')
  if lives and ttl > 0 then redis.call('ZADD', due, time + ttl, key) end
end
local keys = redis.call('HLEN', state)
local life = (ttl == 0 and keys > 0) and 0 or tonumber(ARGV[6])
redis.call('HSET', meta, 'keys', keys, 'life', life, 'grid', grid)
local head = epoch .. ' ' .. seq
for index = 14, firstChange - 1, 2 do
  local cell, body = ARGV[index], ARGV[index + 1]
  local before = redis.call('HGET', cells, cell) or '0'
  if #placesIn(at, cell, '', 1) > 0 then
    redis.call('HSET', cells, cell, seq)
  else
    redis.call('HDEL', cells, cell)
  end
  carry(ARGV[2], ARGV[3] .. '\1' .. cell .. '}', head .. '>' .. before .. ' ' .. time, { body })
end
for _, name in ipairs({ meta, state, due, area, cells }) do
  if life == 0 then redis.call('PERSIST', name) else redis.call('PEXPIRE', name, life) end
end
if ARGV[11] ~= '' and grid == '' then carry(ARGV[2], ARGV[3], head .. ' ' .. time, { ARGV[11] }) end
return { 'done', epoch, seq, epoch == ARGV[7] and '' or former }
