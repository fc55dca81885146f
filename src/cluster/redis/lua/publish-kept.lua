-- Publishes several in a channel with history.
--
-- KEYS: meta, log, then one for each idempotency key. ARGV: fresh epoch, size, age, lifetime of the position,
-- lifetime of idempotency keys, PUBLISH or SPUBLISH, pub/sub channel, the epoch that the node knows, then for each
-- publication: body, index of its idempotency key in KEYS or 0, or its place in an outbox. Returns the epoch, the epochs
-- before it as `epoch seq epoch seq …` (empty if the node knows the epoch), and for each publication its seq, the
-- `epoch seq` of the publish that it repeats, or `gap 0` if what comes before it in its outbox is missing.
-- @include history
-- @include outbox-marks
-- @include history-begin
local meta, log = KEYS[1], KEYS[2]
-- As texts, because Redis formats numbers slowly.
local size, age, time = ARGV[2], ARGV[3], now()
local known = redis.call('HMGET', meta, 'epoch', 'seq', 'replid', 'former', 'age', 'tidied')
local epoch, seq, former = begin(meta, log, ARGV[1], known)
if epoch == ARGV[8] then former = '' end
local first, results, bodies = seq + 1, { epoch, former }, {}
for index = 9, #ARGV, 2 do
  local body, key, repeated = ARGV[index], KEYS[tonumber(ARGV[index + 1])], nil
  if not key and ARGV[index + 1] ~= '0' then
    local what, once = pass(ARGV[index + 1])
    if what == 'gap' then repeated = 'gap 0' end
    if what == 'repeat' then repeated = epoch .. ' ' .. seq end
    key = KEYS[once]
  end
  repeated = repeated or (key and redis.call('GET', key))
  if repeated then
    results[#results + 1] = repeated
  else
    seq = seq + 1
    redis.call('XADD', log, 'MAXLEN', size, seq .. '-0', 't', time, 'p', body)
    if key then redis.call('SET', key, epoch .. ' ' .. seq, 'PX', ARGV[5]) end
    results[#results + 1] = tostring(seq)
    bodies[#bodies + 1] = body
  end
end
keepMarks()
if #bodies > 0 then
  redis.call('HSET', meta, 'seq', seq, 'age', age)
  redis.call('PEXPIRE', log, age)
  carry(ARGV[6], ARGV[7], epoch .. ' ' .. first .. ' ' .. time, bodies)
end
-- To tidy takes as long as a third of the rest, so one publication in 16 does it, and the first one after a pause.
local passed, before = time - tonumber(known[6] or '0'), first - 1
local isTidy = known[5] == age and passed >= 0 and passed < pauseOf(age)
if #bodies == 0 or not isTidy or math.floor(seq / 16) > math.floor(before / 16) then
  trim(log, time - age)
  redis.call('HSET', meta, 'tidied', time)
  redis.call('PEXPIRE', meta, tonumber(ARGV[4]) + pauseOf(age))
end
return results
