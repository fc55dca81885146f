-- Takes a report and returns the nodes. Times are those of Redis, in milliseconds. Leases do not run while nobody
-- reports, so that an outage of Redis does not make all nodes lose each other: `since` is when reports began again. A
-- claim on a lost node ends after a lease, unless the claiming node renews it. A claimed incarnation never comes
-- back, so its cleanup is final.
--
-- KEYS: beats (incarnation by time), reports (JSON by incarnation), claims (incarnation by the end of the claim),
-- clock. ARGV: incarnation, report, lease, whether the node may be new (0 or 1), then the incarnations that it is
-- clearing. Returns 0 if the node is unknown; otherwise the time, the incarnations with a lease and their beats,
-- their reports, and the lost incarnations to clear.
local beats, reports, claims, clock = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, lease = ARGV[1], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local isKnown = redis.call('ZSCORE', beats, me) and not redis.call('ZSCORE', claims, me)
if not isKnown and ARGV[4] == '0' then return 0 end

local known = redis.call('HMGET', clock, 'last', 'since')
local last, since = tonumber(known[1]), tonumber(known[2])
-- A moment to come is of another server, whose clock was ahead.
if not last or not since or since > now or now - last > lease / 2 then since = now end
redis.call('HSET', clock, 'last', now, 'since', since)
redis.call('ZADD', beats, now, me)
redis.call('HSET', reports, me, ARGV[2])
for index = 5, #ARGV do redis.call('ZADD', claims, 'XX', now + lease, ARGV[index]) end

local from = now - lease
local isSettled = since <= from
local lost = {}
if isSettled then
  local silent = redis.call('ZRANGE', beats, '-inf', '(' .. string.format('%.0f', from), 'BYSCORE', 'LIMIT', 0, 100)
  for _, other in ipairs(silent) do
    local claim = redis.call('ZSCORE', claims, other)
    if not claim or tonumber(claim) < now then
      redis.call('ZADD', claims, now + lease, other)
      lost[#lost + 1] = other
      if #lost == 4 then break end
    end
  end
end

local live, told = {}, {}
local range = redis.call('ZRANGE', beats, isSettled and from or '-inf', '+inf', 'BYSCORE', 'WITHSCORES')
for index = 1, #range, 2 do
  local other = range[index]
  if not redis.call('ZSCORE', claims, other) then
    live[#live + 1] = other
    live[#live + 1] = range[index + 1]
    told[#told + 1] = redis.call('HGET', reports, other) or ''
  end
end
return { string.format('%.0f', now), live, told, lost }
