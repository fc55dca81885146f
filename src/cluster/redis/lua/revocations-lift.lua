-- KEYS: list, endings. ARGV: name, and optionally the value that it must have. Returns the revocation.
local revocation = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] and ARGV[2] ~= revocation then return false end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return revocation
