-- Publications that a node has seen and this server does not know were acknowledged by an earlier run of Redis and
-- are lost. As many seqs are skipped, so every client that missed them finds a gap, and the clients that have seen
-- them are not ahead. `lost` records, by epoch, up to which seq a loss was counted, so that it is counted once.
-- It does not record at which seqs: who has seen the publications is told of the skipped seqs like everybody else,
-- after the gap `from: null`. One gap too many is safe, and one too few would be a silent loss.
local function claim(meta, known, claims, fresh)
  local epoch, seq = known[1], tonumber(known[2])
  local former, lost = known[4] or '', known[5] or ''
  local strange, strangeSeq
  for claimed, told in string.gmatch(claims, '(%S+) (%d+)') do
    told = tonumber(told)
    local top = claimed == epoch and seq or seqOf(former, claimed)
    if top then
      local common, isAhead = math.min(told, top), claimed == epoch and told > seq
      if strange then claimed, told = strange, strangeSeq end
      local excess = told - math.max(common, seqOf(lost, claimed) or 0)
      if excess <= 0 then return false end
      if isAhead then
        former, epoch = formers(former, epoch, seq), fresh
      end
      if strange then former = strange .. ' ' .. common .. ' ' .. former end
      local list = { claimed, told }
      for other, upTo in string.gmatch(lost, '(%S+) (%d+)') do
        if other ~= claimed and #list < 16 then
          list[#list + 1] = other
          list[#list + 1] = upTo
        end
      end
      known[1], known[2], known[4] = epoch, seq + excess, former
      redis.call('HSET', meta, 'epoch', epoch, 'seq', known[2], 'replid', replid(), 'former', former)
      redis.call('HSET', meta, 'lost', table.concat(list, ' '))
      return true
    end
    if not strange then strange, strangeSeq = claimed, told end
  end
  return false
end
