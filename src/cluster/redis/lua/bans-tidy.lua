-- ARGV: time, most bans, then for a new one: name, its end, ban, 1 if a breach made it. Removes expired bans, in
-- batches. Returns 0 if the list and its index have different sizes.
-- @include bans
drop(redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1000))
local count = redis.call('HLEN', list) - redis.call('HEXISTS', list, 'life')
if not ARGV[3] then return count == redis.call('ZCARD', endings) and 1 or 0 end
if ARGV[6] == '1' then
  local present = tonumber(redis.call('ZSCORE', endings, ARGV[3]) or 0) > tonumber(ARGV[1])
  if present and not redis.call('ZSCORE', breaches, ARGV[3]) then return 1 end
end
put(ARGV[3], ARGV[4], ARGV[5], ARGV[6])
bound(ARGV[1], ARGV[2])
return 1
