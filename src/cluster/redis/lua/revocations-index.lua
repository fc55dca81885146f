-- ARGV: for each, name and its end. Indexes those again that are in the list.
for at = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then redis.call('ZADD', KEYS[2], ARGV[at + 1], ARGV[at]) end
end
return 1
