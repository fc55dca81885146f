-- Removes the entries of a lost node, in batches of bounded time.
--
-- KEYS: sessions, users, gone. ARGV: incarnation, cursor, lifetime. Returns the next cursor, and the users that are
-- gone.
-- @include presence-take-out
local head, told = ARGV[1] .. '\0', {}
local cursor, fields = unpack(redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', 500))
for index = 1, #fields, 2 do
  if string.sub(fields[index + 1], 1, #head) == head then
    local user = string.sub(fields[index + 1], #head + 1)
    if takeOut(fields[index], user) then
      redis.call('HSET', KEYS[3], user, 1)
      told[#told + 1] = user
    end
  end
end
if #told > 0 then redis.call('PEXPIRE', KEYS[3], ARGV[3]) end
return { cursor, told }
