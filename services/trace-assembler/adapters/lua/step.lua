--[[
One atomic step of a partition's windows: check lengths, append, take out.

KEYS   1  open      hash: trace id → window name, for look-ups of open traces
       2  contexts  hash: context id → encoded ResourceSpans without spans
       3  live      string: the living namespace
ARGV   1  namespace (checked against `live`)
       2  key prefix of windows; a window's key is prefix .. window name
       3  key prefix of closed traces; key is prefix .. trace id
       4  time-to-live of everything written here, milliseconds
       5  appends, 6 takes, 7 fresh contexts, 8 retired contexts: how many of each follow, in this order
          append:  window name, trace id, fragments before, count, fragment …
          take:    window name, trace id, fragments it must hold
          context: id, bytes
          retired: id
Output { remembered of each append that opened a window (or false), …, } , { fragments of each take, … }
       or an error beginning with SURPRISE when the store is not as the worker says; then the namespace is given up.
       Scripts are not rolled back: a surprise may leave earlier appends behind, in a namespace nobody uses again.
All keys carry the partition's hash tag, so the script stays on one node of a cluster.
]]
local open_key, contexts_key, live_key = KEYS[1], KEYS[2], KEYS[3]
local window_prefix, closed_prefix, ttl = ARGV[2], ARGV[3], ARGV[4]

if redis.call('GET', live_key) ~= ARGV[1] then
  return redis.error_reply('SURPRISE namespace ' .. ARGV[1] .. ' is not the living one')
end

local at = 9
local remembered = {}
for _ = 1, tonumber(ARGV[5]) do
  local name, trace_id, had, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local key = window_prefix .. name
  local length = redis.call('RPUSH', key, unpack(ARGV, at + 4, at + 3 + count))
  if length ~= had + count then
    return redis.error_reply('SURPRISE window ' .. name .. ' held ' .. (length - count) .. ' fragments, not ' .. had)
  end
  if had == 0 then
    redis.call('HSET', open_key, trace_id, name)
    remembered[#remembered + 1] = redis.call('GET', closed_prefix .. trace_id)
  end
  redis.call('PEXPIRE', key, ttl)
  at = at + 4 + count
end

local taken = {}
for i = 1, tonumber(ARGV[6]) do
  local name, trace_id, expected = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local key = window_prefix .. name
  local fragments = redis.call('LRANGE', key, 0, -1)
  if #fragments ~= expected then
    return redis.error_reply('SURPRISE window ' .. name .. ' held ' .. #fragments .. ' fragments, not ' .. expected)
  end
  redis.call('DEL', key)
  -- The trace may have opened its next window in this very step.
  if redis.call('HGET', open_key, trace_id) == name then redis.call('HDEL', open_key, trace_id) end
  taken[i] = fragments
  at = at + 3
end

for _ = 1, tonumber(ARGV[7]) do
  redis.call('HSET', contexts_key, ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[8]) do
  redis.call('HDEL', contexts_key, ARGV[at])
  at = at + 1
end
redis.call('PEXPIRE', open_key, ttl)
redis.call('PEXPIRE', contexts_key, ttl)
redis.call('PEXPIRE', live_key, ttl)

return { remembered, taken }
