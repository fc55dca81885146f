-- KEYS: sessions, users. ARGV: session id, user id, 1 if an earlier attempt may have succeeded, otherwise 0. Returns
-- whether the user has gone.
-- @include presence-take-out
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return ARGV[3] == '1' and 1 - redis.call('HEXISTS', KEYS[2], ARGV[2]) or 0 end
local mark = string.find(known, '\0', 1, true)
return takeOut(ARGV[1], string.sub(known, mark + 1)) and 1 or 0
