-- How far edge nodes have published in this channel. A mark is `run seq run seq …`, newest run first, without expiry.
--
-- A place is `index index run seq after`: the key of the mark and of the idempotency key in KEYS (0: none), the run and
-- the seq of the publication, and the seq that must be published before it.
local marks = {}
-- Returns whether it is new, a repeat, or out of order; then the index of its idempotency key.
local function pass(place)
  local at, once, run, seq, after = string.match(place, '^(%d+) (%d+) (%S+) (%d+) (%d+)$')
  local mark = marks[at] or redis.call('GET', KEYS[tonumber(at)]) or ''
  local top, rest, count = 0, '', 1
  for other, told in string.gmatch(mark, '(%S+) (%d+)') do
    if other == run then
      top = tonumber(told)
    elseif count < 16 then
      rest, count = rest .. ' ' .. other .. ' ' .. told, count + 1
    end
  end
  marks[at] = mark
  if tonumber(seq) <= top then return 'repeat' end
  if tonumber(after) > top then return 'gap' end
  marks[at] = run .. ' ' .. seq .. rest
  return 'new', tonumber(once)
end
local function keepMarks()
  for at, mark in pairs(marks) do
    if mark ~= '' then redis.call('SET', KEYS[tonumber(at)], mark) end
  end
end
