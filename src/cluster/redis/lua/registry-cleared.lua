-- KEYS: beats, reports, claims. ARGV: an incarnation whose cleanup is complete.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
