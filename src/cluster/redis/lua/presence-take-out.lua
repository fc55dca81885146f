-- Whether the session was the user's last.
local function takeOut(session, user)
  redis.call('HDEL', KEYS[1], session)
  if redis.call('HINCRBY', KEYS[2], user, -1) > 0 then return false end
  redis.call('HDEL', KEYS[2], user)
  return true
end
