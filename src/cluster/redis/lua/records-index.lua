-- ARGV: for each record, name, its end, 1 if it is yielding. Indexes those again that are in the list.
-- @include records
for at = 1, #ARGV, 3 do
  if redis.call('HEXISTS', list, ARGV[at]) == 1 then index(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
end
return 1
