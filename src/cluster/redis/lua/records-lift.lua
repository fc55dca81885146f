-- ARGV: name, time, role of the one who acts. Returns 1 and the record; 0 and the record if someone above gave it; or 0
-- if there is none.
-- @include records
local kept = outOfReach(ARGV[1], ARGV[3] == 'SERVICE', ARGV[2])
if kept then return { 0, kept } end
local record = redis.call('HGET', list, ARGV[1])
drop({ ARGV[1] })
return { record and 1 or 0, record or nil }
