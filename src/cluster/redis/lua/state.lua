-- The keys of a state channel: those of its history, `state`, a hash of `<version> <owner or ->`, a line feed and the
-- value as JSON, and `due`, a sorted set of the times at which keys go. `keys` in `meta` is their number.
--
-- A channel with an area has `area`, a sorted set of `<cell> <key>` in the order of its texts, and `cells`, a hash of
-- the seq of the last publication of each cell that is not empty. `grid` in `meta` names how places become cells.
local function placesOf(keys)
  return { meta = keys[1], log = keys[2], state = keys[3], due = keys[4], area = keys[5], cells = keys[6] }
end
local function isPlaced(at, count, stored, grid)
  if grid == '' or count == 0 then return true end
  return stored == grid and redis.call('ZCARD', at.area) == count and redis.call('EXISTS', at.cells) == 1
end
-- If there is another number of keys than `meta` says, a part was evicted or has expired alone. Then nothing is known
-- of what subscribers have: all goes, and an epoch begins that continues none. It is the same with another grid.
-- Returns the position of the channel as known, with no epoch if there is nothing.
local function known(at, fresh, command, channel, grid)
  local meta = at.meta
  local fields = redis.call('HMGET', meta, 'epoch', 'seq', 'replid', 'former', 'keys', 'age', 'life', 'grid')
  local count = redis.call('HLEN', at.state)
  if tonumber(fields[5] or '0') == count and isPlaced(at, count, fields[8], grid) then return fields end
  redis.call('DEL', at.log, at.state, at.due, at.area, at.cells)
  if not fields[1] then return fields end
  redis.call('DEL', meta)
  redis.call('HSET', meta, 'epoch', fresh, 'seq', 0, 'replid', replid())
  redis.call('PEXPIRE', meta, 300000)
  -- A message without publications: a node that hears it compares positions.
  redis.call(command, channel, fresh .. ' 0 ' .. now() .. '\n')
  return { fresh, '0', replid() }
end
local function placesIn(at, cell, from, count)
  local first = from == '' and '[' .. cell .. ' ' or '(' .. cell .. ' ' .. from
  -- The character after the space ends the cell.
  return redis.call('ZRANGEBYLEX', at.area, first, '(' .. cell .. '!', 'LIMIT', 0, count)
end
