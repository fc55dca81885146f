-- ARGV: names, each followed by its value. Removes those that still have this value.
-- @include records
for at = 1, #ARGV, 2 do
  if redis.call('HGET', list, ARGV[at]) == ARGV[at + 1] then drop({ ARGV[at] }) end
end
return 1
