-- ARGV: time, most entries, then for each: name, its end, revocation. Returns how many were stored, and how many had
-- no room.
-- @include revocations
local taken, refused = 0, 0
for at = 3, #ARGV, 3 do
  if redis.call('HGET', list, ARGV[at]) ~= ARGV[at + 2] then
    if put(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[2]) then taken = taken + 1 else refused = refused + 1 end
  end
end
renew(ARGV[1])
return { taken, refused }
