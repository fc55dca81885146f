-- ARGV: name. Returns the record.
-- @include records
local record = redis.call('HGET', list, ARGV[1])
drop({ ARGV[1] })
return record
