-- Publishes several in a channel with history.
--
-- KEYS: meta, log, then one for each idempotency key. ARGV: fresh epoch, size, age, lifetime of the position,
-- lifetime of idempotency keys, PUBLISH or SPUBLISH, pub/sub channel, the epoch that the node knows, then for each
-- publication: body, index of its idempotency key in KEYS or 0. Returns the epoch, the epochs before it as `epoch seq
-- epoch seq …` (empty if the node knows the epoch), and for each publication its seq, or the `epoch seq` of the
-- publish that it repeats.
-- @include history
local meta, log = KEYS[1], KEYS[2]
local size, age = tonumber(ARGV[2]), tonumber(ARGV[3])
local time, server = now(), run()
local known = redis.call('HMGET', meta, 'epoch', 'seq', 'run', 'former')
local epoch, seq, former = known[1], tonumber(known[2] or '0'), known[4] or ''
if not epoch then
  epoch = ARGV[1]
  redis.call('DEL', log)
  redis.call('HSET', meta, 'epoch', epoch, 'seq', 0, 'run', server)
elseif known[3] ~= server then
  former = formers(known[4], epoch, seq)
  redis.call('HSET', meta, 'epoch', ARGV[1], 'run', server, 'former', former)
  epoch = ARGV[1]
end
if epoch == ARGV[8] then former = '' end
local first, results, lengths, bodies = seq + 1, { epoch, former }, {}, {}
for index = 9, #ARGV, 2 do
  local body, key = ARGV[index], KEYS[tonumber(ARGV[index + 1])]
  local repeated = key and redis.call('GET', key)
  if repeated then
    results[#results + 1] = repeated
  else
    seq = seq + 1
    redis.call('XADD', log, 'MAXLEN', size, seq .. '-0', 't', time, 'p', body)
    if key then redis.call('SET', key, epoch .. ' ' .. seq, 'PX', ARGV[5]) end
    results[#results + 1] = tostring(seq)
    lengths[#lengths + 1] = #body
    bodies[#bodies + 1] = body
  end
end
if #bodies > 0 then
  redis.call('HSET', meta, 'seq', seq, 'age', age)
  trim(log, time - age)
  redis.call('PEXPIRE', log, age)
  local header = epoch .. ' ' .. first .. ' ' .. time .. ' ' .. table.concat(lengths, ' ')
  redis.call(ARGV[6], ARGV[7], header .. '\n' .. table.concat(bodies))
end
redis.call('PEXPIRE', meta, ARGV[4])
return results
