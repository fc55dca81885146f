-- The epoch under which this server writes, the seq so far, and the epochs before as `formers` lists them.
-- Known: epoch, seq, replid, former of the channel.
local function begin(meta, log, fresh, known)
  local server, epoch, seq, former = replid(), known[1], tonumber(known[2] or '0'), known[4] or ''
  if not epoch then
    epoch = fresh
    redis.call('DEL', log)
    redis.call('HSET', meta, 'epoch', epoch, 'seq', 0, 'replid', server)
  elseif known[3] ~= server then
    former = formers(known[4], epoch, seq)
    redis.call('HSET', meta, 'epoch', fresh, 'replid', server, 'former', former)
    epoch = fresh
  end
  return epoch, seq, former
end
-- Tells the nodes that have subscribers.
local function carry(command, channel, head, bodies)
  local lengths = {}
  for index, body in ipairs(bodies) do lengths[index] = #body end
  redis.call(command, channel, head .. ' ' .. table.concat(lengths, ' ') .. '\n' .. table.concat(bodies))
end
