-- Removes expired records, in batches, and stores a new one, if there is one. Returns 0 if there is no room for it,
-- and the present one if someone above its giver gave that.
-- Without a new one, returns 0 if the list and its index have different sizes.
-- @include records
drop(redis.call('ZRANGE', endings, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1000))
local count = redis.call('HLEN', list) - redis.call('HEXISTS', list, 'life')
if not ARGV[5] then return count == redis.call('ZCARD', endings) and 1 or 0 end
local mustYield = ARGV[8] == '1' and endingOf(ARGV[5]) > tonumber(ARGV[1])
if mustYield and not redis.call('ZSCORE', breaches, ARGV[5]) then return 1 end
local kept = outOfReach(ARGV[5], isOfService(ARGV[7]), ARGV[1])
if kept then return kept end
if not put(5) then return 0 end
bound()
return 1
