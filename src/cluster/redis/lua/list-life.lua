-- A list gets a new name in three cases. The server was restarted or replaced (its run_id), so the list may be older.
-- The name is missing: it is part of the list, so it is lost with it. The list and its index have different sizes, so
-- one of them lost something.
--
-- KEYS: list, endings. ARGV: a fresh name, milliseconds until a list without entries expires. Returns the current
-- name.
local list, endings = KEYS[1], KEYS[2]
local life, run = redis.call('HGET', list, 'life'), string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local isSame = life and string.match(life, '%x+$') == run
if isSame and redis.call('HLEN', list) - 1 == redis.call('ZCARD', endings) then return life end
life = ARGV[1] .. ' ' .. run
redis.call('HSET', list, 'life', life)
if redis.call('PTTL', list) < 0 then redis.call('PEXPIRE', list, ARGV[2]) end
return life
