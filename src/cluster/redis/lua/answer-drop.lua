-- KEYS: answer. ARGV: its value. Deletes it, unless it has changed meanwhile.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
