--[[
Adds spans of closed traces to what is remembered of them. Doing it twice changes nothing: a revision that is remembered
already is passed over.

KEYS   1  context   string: stream time since which closed traces are remembered; kept alive
ARGV   1  key prefix of closed traces; key is prefix .. trace id
       2  time-to-live, milliseconds
       3  most bytes of hashes kept of one trace; the newest are kept
       4… trace id, revision, hashes (8 bytes a span), …
Output number of traces changed
A closed trace's value: revision (uint32 big-endian), then the hashes of all its revisions.
]]
local prefix, ttl, bytes_max = ARGV[1], ARGV[2], tonumber(ARGV[3])
local changed = 0
for at = 4, #ARGV, 3 do
  local key, revision, hashes = prefix .. ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
  local known = redis.call('GET', key)
  if not known or struct.unpack('>I4', known) < revision then
    if known then hashes = string.sub(string.sub(known, 5) .. hashes, -bytes_max) end
    redis.call('SET', key, struct.pack('>I4', revision) .. hashes, 'PX', ttl)
    changed = changed + 1
  end
end
redis.call('PEXPIRE', KEYS[1], ttl)
return changed
