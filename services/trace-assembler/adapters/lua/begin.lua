--[[
Makes a namespace the living one.

KEYS   1  live     string: the living namespace
       2  context  string: stream time since which closed traces are remembered
ARGV   1  namespace
       2  stream time to write into `context` when it is not there
       3  time-to-live, milliseconds
Output { the namespace before (or false), context }
]]
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3], 'NX')
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return { before, redis.call('GET', KEYS[2]) }
