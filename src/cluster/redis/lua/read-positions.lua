-- KEYS: meta of each channel; somebody listens to all of them. ARGV: fresh epoch, lifetime of the positions, then for
-- each channel the `epoch seq` that the node knows, or nothing. Returns a line for each: empty if it is there, and
-- otherwise its epoch and seq, and the epochs before as `epoch seq epoch seq …`.
-- @include history
local lines, life = {}, tonumber(ARGV[2])
for index, meta in ipairs(KEYS) do
  local found = redis.call('HMGET', meta, 'epoch', 'seq', 'age', 'former', 'life')
  local epoch = keep(meta, { epoch = found[1], age = found[3], life = found[5] }, life, ARGV[1])
  local top = epoch .. ' ' .. (found[2] or '0')
  if top == ARGV[index + 2] then
    lines[index] = ''
  else
    lines[index] = top .. ' ' .. (found[4] or '')
  end
end
return table.concat(lines, '\n')
