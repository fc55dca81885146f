-- ARGV: time, then for a new one: most entries, name, its end, revocation. Removes expired ones, in batches. Returns
-- 0 if there is no room for a new one, or, without a new one, if the list and its index have different sizes.
-- @include revocations
local ended = redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1000)
if #ended > 0 then
  redis.call('HDEL', list, unpack(ended))
  redis.call('ZREM', endings, unpack(ended))
end
local count = redis.call('HLEN', list) - redis.call('HEXISTS', list, 'life')
if not ARGV[2] then return count == redis.call('ZCARD', endings) and 1 or 0 end
if not put(ARGV[3], ARGV[4], ARGV[5], ARGV[2]) then return 0 end
renew(ARGV[1])
return 1
