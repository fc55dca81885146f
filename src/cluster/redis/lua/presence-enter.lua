-- Enters sessions. Mode: `new`; `again` if an earlier attempt may have succeeded; `kept` for sessions that were in
-- already, which are reported only if their leave was.
--
-- KEYS: sessions, users, gone. ARGV: incarnation, lifetime, mode, then for each session its id and user id. Returns
-- the users that have come.
local sessions, users, gone = KEYS[1], KEYS[2], KEYS[3]
local mode, come = ARGV[3], {}
for index = 4, #ARGV, 2 do
  local session, user = ARGV[index], ARGV[index + 1]
  local entry = ARGV[1] .. '\0' .. user
  local known = redis.call('HGET', sessions, session)
  if known ~= entry then redis.call('HSET', sessions, session, entry) end
  if not known then
    local wasGone = redis.call('HDEL', gone, user) == 1
    local count = redis.call('HINCRBY', users, user, 1)
    if count == 1 and (mode ~= 'kept' or wasGone) then come[#come + 1] = user end
  elseif mode == 'again' and redis.call('HGET', users, user) == '1' then
    come[#come + 1] = user
  end
end
redis.call('PEXPIRE', sessions, ARGV[2])
redis.call('PEXPIRE', users, ARGV[2])
return come
