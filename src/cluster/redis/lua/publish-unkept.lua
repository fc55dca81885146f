-- Publishes several in a channel without history, some of them with idempotency keys or from an outbox.
--
-- KEYS: one for each idempotency key. ARGV: time, lifetime of idempotency keys, PUBLISH or SPUBLISH, pub/sub channel,
-- then for each publication: body, index of its key in KEYS or 0, or its place in an outbox. Returns for each 1, 0 if
-- its key or place repeats another, or -1 if what comes before it in its outbox is missing.
-- @include outbox-marks
local function resultOf(spec)
  local key, what = KEYS[tonumber(spec)], 'new'
  if not key and spec ~= '0' then
    local once
    what, once = pass(spec)
    key = KEYS[once]
  end
  if what == 'gap' then return -1 end
  if what == 'repeat' or (key and not redis.call('SET', key, '1', 'NX', 'PX', ARGV[2])) then return 0 end
  return 1
end
local results, lengths, bodies = {}, {}, {}
for index = 5, #ARGV, 2 do
  local result = resultOf(ARGV[index + 1])
  results[#results + 1] = result
  if result == 1 then
    lengths[#lengths + 1] = #ARGV[index]
    bodies[#bodies + 1] = ARGV[index]
  end
end
keepMarks()
if #bodies > 0 then
  redis.call(ARGV[3], ARGV[4], '- 0 ' .. ARGV[1] .. ' ' .. table.concat(lengths, ' ') .. '\n' .. table.concat(bodies))
end
return results
