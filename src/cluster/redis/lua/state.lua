-- The keys of a state channel: those of its history, `state`, a hash of `<version> <owner or ->`, a line feed and the
-- value as JSON, and `due`, a sorted set of the times at which keys go. `keys` in `meta` is their number.
--
-- If it is another number than there are, a part was evicted or has expired alone. Then nothing is known of what
-- subscribers have: all goes, and an epoch begins that continues none. Returns the position of the channel as known,
-- with no epoch if there is nothing.
local function known(meta, log, state, due, fresh, command, channel)
  local fields = redis.call('HMGET', meta, 'epoch', 'seq', 'run', 'former', 'keys', 'age', 'life')
  if tonumber(fields[5] or '0') == redis.call('HLEN', state) then return fields end
  redis.call('DEL', log, state, due)
  if not fields[1] then return fields end
  redis.call('DEL', meta)
  redis.call('HSET', meta, 'epoch', fresh, 'seq', 0, 'run', run())
  redis.call('PEXPIRE', meta, 300000)
  -- A message without publications: a node that hears it compares positions.
  redis.call(command, channel, fresh .. ' 0 ' .. now() .. '\n')
  return { fresh, '0', run() }
end
