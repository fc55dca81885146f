import { RedisScript } from '../connection/redis-script.js';

/**
 * The keys of a channel in Redis, under one hash tag: `meta`, a hash with its position, and `log`, a stream whose entry
 * ids are `<seq>-0`. Times are those of Redis, in milliseconds.
 *
 * A server that took over, or was restarted, may have lost the newest publications without a notice. So every run of a
 * server (its run_id) writes under an epoch of its own. `former` lists the epochs before it, each with its last known
 * seq. A client at or before that seq has missed nothing; one after it has seen publications that were lost.
 */
const SHARED = `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
-- epoch seq epoch seq …, the newest first; what was lost of this one was lost of those before it too.
local function formers(known, epoch, seq)
  local list = { epoch, seq }
  for former, top in string.gmatch(known or '', '(%S+) (%d+)') do
    if #list >= 16 then break end
    list[#list + 1] = former
    list[#list + 1] = math.min(tonumber(top), seq)
  end
  return table.concat(list, ' ')
end
-- What a list as that of formers says of an epoch.
local function seqOf(list, wanted)
  for epoch, seq in string.gmatch(list, '(%S+) (%d+)') do
    if epoch == wanted then return tonumber(seq) end
  end
end
local function isOld(entry, oldest)
  return tonumber(entry[2][2]) < oldest
end
-- Forgets what is too old, from the front, in portions: a call takes bounded time. As a rule a look at one entry is enough.
local function trim(log, oldest)
  for round = 0, 10 do
    local entries = redis.call('XRANGE', log, '-', '+', 'COUNT', round == 0 and 1 or 100)
    local last
    for _, entry in ipairs(entries) do
      if not isOld(entry, oldest) then break end
      last = entry[1]
    end
    if not last then return end
    redis.call('XTRIM', log, 'MINID', (tonumber(string.match(last, '^%d+')) + 1) .. '-0')
  end
end
`;

/**
 * Publishes several in a channel with history.
 *
 * KEYS: meta, log, then one for each idempotency key. ARGV: fresh epoch, size, age, lifetime of the position, lifetime
 * of idempotency keys, PUBLISH or SPUBLISH, pub/sub channel, the epoch that the node knows, then for each publication:
 * body, index of its idempotency key in KEYS or 0. Returns the epoch, the epochs before it as `epoch seq epoch seq …`
 * (empty if the node knows the epoch), and for each publication its seq, or the `epoch seq` of the publish that it
 * repeats.
 */
export const PUBLISH_KEPT = new RedisScript(`${SHARED}
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
  redis.call(ARGV[6], ARGV[7], header .. '\\n' .. table.concat(bodies))
end
redis.call('PEXPIRE', meta, ARGV[4])
return results
`);

/**
 * Publishes several in a channel without history, some of them with idempotency keys.
 *
 * KEYS: one for each idempotency key. ARGV: time, lifetime of idempotency keys, PUBLISH or SPUBLISH, pub/sub channel,
 * then for each publication: body, index of its key in KEYS or 0. Returns for each 1, or 0 if its key repeats another.
 */
export const PUBLISH_UNKEPT = new RedisScript(`
local results, lengths, bodies = {}, {}, {}
for index = 5, #ARGV, 2 do
  local body, key = ARGV[index], KEYS[tonumber(ARGV[index + 1])]
  if key and not redis.call('SET', key, '1', 'NX', 'PX', ARGV[2]) then
    results[#results + 1] = 0
  else
    results[#results + 1] = 1
    lengths[#lengths + 1] = #body
    bodies[#bodies + 1] = body
  end
end
if #bodies > 0 then
  redis.call(ARGV[3], ARGV[4], '- 0 ' .. ARGV[1] .. ' ' .. table.concat(lengths, ' ') .. '\\n' .. table.concat(bodies))
end
return results
`);

/**
 * Publications that a node has seen and this server does not know were acknowledged by an earlier run of Redis and are
 * lost. As many seqs are skipped, so every client that missed them finds a gap, and the clients that have seen them are
 * not ahead. `lost` records, by epoch, up to which seq a loss was counted, so that it is counted once.
 */
const CLAIM = `
local function claim(meta, known, claims, fresh)
  local epoch, seq = known[1], tonumber(known[2])
  local former, lost = known[4] or '', known[5] or ''
  local strange, strangeSeq
  for claimed, told in string.gmatch(claims, '(%S+) (%d+)') do
    told = tonumber(told)
    local top = claimed == epoch and seq or seqOf(former, claimed)
    if top then
      local common, isAhead = math.min(told, top), claimed == epoch and told > seq
      if strange then claimed, told = strange, strangeSeq end
      local excess = told - math.max(common, seqOf(lost, claimed) or 0)
      if excess <= 0 then return false end
      if isAhead then
        former, epoch = formers(former, epoch, seq), fresh
      end
      if strange then former = strange .. ' ' .. common .. ' ' .. former end
      local list = { claimed, told }
      for other, upTo in string.gmatch(lost, '(%S+) (%d+)') do
        if other ~= claimed and #list < 16 then
          list[#list + 1] = other
          list[#list + 1] = upTo
        end
      end
      known[1], known[2], known[4] = epoch, seq + excess, former
      redis.call('HSET', meta, 'epoch', epoch, 'seq', known[2], 'run', run(), 'former', former, 'lost', table.concat(list, ' '))
      return true
    end
    if not strange then strange, strangeSeq = claimed, told end
  end
  return false
end
`;

/**
 * KEYS: meta, log. ARGV: fresh epoch, lifetime of the position if it is kept or 0, the seq after which, how many or -1,
 * newest first (0 or 1), most bytes or -1, what the node has reached as `epoch seq epoch seq …` or nothing, PUBLISH or
 * SPUBLISH, pub/sub channel, the seq before which or 0. Returns epoch, seq, the epochs before as `epoch seq epoch seq
 * …`, and the entries.
 */
export const READ_HISTORY = new RedisScript(`${SHARED}${CLAIM}
local meta, log = KEYS[1], KEYS[2]
local known = redis.call('HMGET', meta, 'epoch', 'seq', 'age', 'former', 'lost')
if known[1] and ARGV[7] ~= '' and claim(meta, known, ARGV[7], ARGV[1]) then
  -- A message without publications: whoever hears it looks.
  redis.call(ARGV[8], ARGV[9], known[1] .. ' ' .. known[2] .. ' ' .. now() .. '\\n')
end
local epoch, seq, isKept = known[1], tonumber(known[2] or '0'), ARGV[2] ~= '0'
if not epoch then
  epoch = ARGV[1]
  if isKept then redis.call('HSET', meta, 'epoch', epoch, 'seq', 0, 'run', run()) end
end
if isKept then redis.call('PEXPIRE', meta, math.max(tonumber(ARGV[2]), tonumber(known[3] or '0'))) end
local entries = {}
local count, room, isReverse = tonumber(ARGV[4]), tonumber(ARGV[6]), ARGV[5] == '1'
if count ~= 0 and seq > tonumber(ARGV[3]) then
  trim(log, now() - tonumber(known[3] or '0'))
  local from, used = (tonumber(ARGV[3]) + 1) .. '-0', 0
  local to = ARGV[10] == '0' and '+' or '(' .. ARGV[10] .. '-0'
  local bound, portion = isReverse and to or from, 100
  -- In portions: little is read that does not fit.
  while count ~= 0 do
    if room >= 0 then portion = #entries == 0 and 4 or math.max(1, math.min(100, math.ceil((room - used) * #entries / used))) end
    if count > 0 then portion = math.min(count, portion) end
    local found = isReverse and redis.call('XREVRANGE', log, bound, from, 'COUNT', portion)
      or redis.call('XRANGE', log, bound, to, 'COUNT', portion)
    for _, entry in ipairs(found) do
      used = used + #entry[2][4]
      if room >= 0 and used > room and #entries > 0 then count = 0 break end
      entries[#entries + 1] = entry
    end
    if #found < portion or count == 0 then break end
    if count > 0 then count = count - #found end
    bound = '(' .. found[#found][1]
  end
end
return { epoch, seq, known[4] or '', entries }
`);
