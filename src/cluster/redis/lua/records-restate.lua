-- Returns the number of records that were stored, and of those without room.
-- @include records
local taken, refused = 0, 0
for at = 5, #ARGV, 4 do
  local present = redis.call('HGET', list, ARGV[at])
  local isBelow, isOrder = isOfService(ARGV[at + 2]), ARGV[at + 3] == '0'
  local isLonger = isOrder and tonumber(ARGV[at + 1]) > endingOf(ARGV[at])
  local isAbove = isOrder and not isBelow and present and isOfService(present)
  local replaces = isAbove or ARGV[4] == 'longer' and isLonger or ARGV[4] == 'different' and present ~= ARGV[at + 2]
  if not present or replaces and not outOfReach(ARGV[at], isBelow, ARGV[1]) then
    if put(at) then taken = taken + 1 else refused = refused + 1 end
  end
end
bound()
return { taken, refused }
