import { RedisScript } from '../connection/redis-script.js';

/**
 * The keys of a channel's presence in Redis, under one hash tag: `sessions`, a hash of `<incarnation>\0<user id>` by
 * session id; `users`, the number of sessions of each user; and `gone`, the users who were reported as gone because
 * their node was lost.
 */
export type EnterMode = 'new' | 'again' | 'kept';

/**
 * Enters sessions. Mode: `new`; `again` if an earlier attempt may have succeeded; `kept` for sessions that were in
 * already, which are reported only if their leave was.
 *
 * KEYS: sessions, users, gone. ARGV: incarnation, lifetime, mode, then for each session its id and user id. Returns the
 * users that have come.
 */
export const ENTER = new RedisScript(`
local sessions, users, gone = KEYS[1], KEYS[2], KEYS[3]
local mode, come = ARGV[3], {}
for index = 4, #ARGV, 2 do
  local session, user = ARGV[index], ARGV[index + 1]
  local entry = ARGV[1] .. '\\0' .. user
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
`);

const TAKE_OUT = `
-- Whether the session was the user's last.
local function takeOut(session, user)
  redis.call('HDEL', KEYS[1], session)
  if redis.call('HINCRBY', KEYS[2], user, -1) > 0 then return false end
  redis.call('HDEL', KEYS[2], user)
  return true
end
`;

/**
 * KEYS: sessions, users. ARGV: session id, user id, 1 if an earlier attempt may have succeeded, otherwise 0. Returns
 * whether the user has gone.
 */
export const LEAVE = new RedisScript(`${TAKE_OUT}
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return ARGV[3] == '1' and 1 - redis.call('HEXISTS', KEYS[2], ARGV[2]) or 0 end
local mark = string.find(known, '\\0', 1, true)
return takeOut(ARGV[1], string.sub(known, mark + 1)) and 1 or 0
`);

/**
 * Removes the entries of a lost node, in batches of bounded time.
 *
 * KEYS: sessions, users, gone. ARGV: incarnation, cursor, lifetime. Returns the next cursor, and the users that are
 * gone.
 */
export const PURGE = new RedisScript(`${TAKE_OUT}
local head, told = ARGV[1] .. '\\0', {}
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
`);
