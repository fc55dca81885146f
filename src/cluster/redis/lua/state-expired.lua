-- KEYS: due. ARGV: how many at most. Returns keys whose time is over.
-- @include history
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now(), 'LIMIT', 0, ARGV[1])
