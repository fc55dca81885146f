-- KEYS: meta, log. ARGV: fresh epoch, lifetime of the position if it is kept or 0, the seq after which, how many or
-- -1, newest first (0 or 1), most bytes or -1, what the node has reached as `epoch seq epoch seq …` or nothing,
-- PUBLISH or SPUBLISH, pub/sub channel, the seq before which or 0. Returns epoch, seq, the epochs before as `epoch
-- seq epoch seq …`, and the entries.
-- @include history
-- @include history-claim
local meta, log = KEYS[1], KEYS[2]
local known = redis.call('HMGET', meta, 'epoch', 'seq', 'age', 'former', 'lost', 'life')
if known[1] and ARGV[7] ~= '' and claim(meta, known, ARGV[7], ARGV[1]) then
  -- A message without publications: whoever hears it looks.
  redis.call(ARGV[8], ARGV[9], known[1] .. ' ' .. known[2] .. ' ' .. now() .. '\n')
end
local epoch, seq, life = known[1], tonumber(known[2] or '0'), tonumber(ARGV[2])
if life > 0 then
  epoch = keep(meta, { epoch = epoch, age = known[3], life = known[6] }, life, ARGV[1])
end
local entries = {}
local count, room, isReverse = tonumber(ARGV[4]), tonumber(ARGV[6]), ARGV[5] == '1'
if count ~= 0 and seq > tonumber(ARGV[3]) then
  trim(log, now() - tonumber(known[3] or '0'))
  local from, used = (tonumber(ARGV[3]) + 1) .. '-0', 0
  local to = ARGV[10] == '0' and '+' or '(' .. ARGV[10] .. '-0'
  local bound, portion = isReverse and to or from, 100
  -- In portions: little is read that does not fit.
  while count ~= 0 do
    if room >= 0 then
      portion = #entries == 0 and 4 or math.max(1, math.min(100, math.ceil((room - used) * #entries / used)))
    end
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
return { epoch or ARGV[1], seq, known[4] or '', entries }
