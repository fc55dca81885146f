-- KEYS: list, endings, breaches. ARGV: names, each followed by its value. Removes those that still have this value.
for index = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', KEYS[1], ARGV[index])
    redis.call('ZREM', KEYS[2], ARGV[index])
    redis.call('ZREM', KEYS[3], ARGV[index])
  end
end
return 1
