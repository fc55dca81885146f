-- ARGV: for each, name, its end, 1 if a breach made it. Indexes those again that are in the list.
-- @include bans
for at = 1, #ARGV, 3 do
  if redis.call('HEXISTS', list, ARGV[at]) == 1 then index(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
end
return 1
