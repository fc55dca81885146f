-- The keys of a channel in Redis, under one hash tag: `meta`, a hash with its position, and `log`, a stream whose
-- entry ids are `<seq>-0`. Times are those of Redis, in milliseconds.
--
-- A server that took over, or was restarted, may have lost the newest publications without a notice. It has another
-- replication id then (`replid`), and publications under it have an epoch of their own. `former` lists the epochs
-- before it, each with its last known seq. A client at or before that seq has missed nothing; one after it has seen
-- publications that were lost.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- The server's run_id would do as well, but the section of INFO that has it takes three times as long.
local function replid()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
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
-- How long a channel may wait for the next publication that tidies: a part of the age of its history.
local function pauseOf(age)
  return math.floor(age / 16)
end
-- Forgets what is too old, from the front, in portions: a call takes bounded time.
-- As a rule a look at one entry is enough.
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
-- The epoch and seq of a channel that somebody listens to: it begins now if there is none. Its position lives `life`
-- milliseconds, at least as long as its state; that of a channel whose state never goes has a life of 0.
local function keep(meta, known, life, fresh)
  local epoch, age, stateLife = known.epoch, tonumber(known.age or '0'), known.life or ''
  if not epoch then
    epoch = fresh
    redis.call('HSET', meta, 'epoch', epoch, 'seq', 0, 'replid', replid())
  end
  if stateLife ~= '0' then redis.call('PEXPIRE', meta, math.max(life, age, tonumber(stateLife) or 0) + pauseOf(age)) end
  return epoch
end
