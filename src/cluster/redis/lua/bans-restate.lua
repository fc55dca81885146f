-- ARGV: time, most bans, then for each: name, its end, ban, 1 if a breach made it. An existing ban stays, unless an
-- operator's lasts longer. Returns the number of bans that were stored.
-- @include bans
local taken = 0
for at = 3, #ARGV, 4 do
  local present = redis.call('HEXISTS', list, ARGV[at]) == 1
  local ending = tonumber(redis.call('ZSCORE', endings, ARGV[at]) or 0)
  if not present or (ARGV[at + 3] == '0' and tonumber(ARGV[at + 1]) > ending) then
    put(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    taken = taken + 1
  end
end
bound(ARGV[1], ARGV[2])
return taken
