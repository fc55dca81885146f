-- Publishes several in a channel without history, some of them with idempotency keys.
--
-- KEYS: one for each idempotency key. ARGV: time, lifetime of idempotency keys, PUBLISH or SPUBLISH, pub/sub channel,
-- then for each publication: body, index of its key in KEYS or 0. Returns for each 1, or 0 if its key repeats
-- another.
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
  redis.call(ARGV[3], ARGV[4], '- 0 ' .. ARGV[1] .. ' ' .. table.concat(lengths, ' ') .. '\n' .. table.concat(bodies))
end
return results
