"""What Redis does in one step. All keys share a hash tag: in a cluster they lie on one server."""

KEY = "mtp:{events}"
GROUP = "mtp"
DEAD_MOST = 10_000
"""Dead letters there may be. Above that something else is wrong: workers wait, and nothing is lost."""

PUBLISH = """
local held = tonumber(redis.call('GET', KEYS[2]) or '0')
if held + tonumber(ARGV[2]) > tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV, 2 do redis.call('XADD', KEYS[1], '*', 'n', ARGV[i], 'e', ARGV[i + 1]) end
return redis.call('INCRBY', KEYS[2], ARGV[2])
"""
"""Stream, count; most events, number of these, then number and bytes of each entry. 0 when there is no room."""

ACKNOWLEDGE = """
local gone = 0
for i = 2, #ARGV, 2 do
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then gone = gone + tonumber(ARGV[i + 1]) end
end
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) else redis.call('DECRBY', KEYS[2], gone) end
return gone
"""
"""Stream, count; group, then id and number of events of each entry."""

BURY = """
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'n', ARGV[2], 'e', ARGV[3], 'why', ARGV[4])
return 1
"""
"""Dead letters; most of these, number, bytes and reason of the new one. 0 when there is no room."""

REPLACE = """
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if ARGV[3] ~= '0' then redis.call('XADD', KEYS[1], '*', 'n', ARGV[3], 'e', ARGV[4], unpack(ARGV, 5)) end
if KEYS[2] then redis.call('DECRBY', KEYS[2], tonumber(ARGV[2]) - tonumber(ARGV[3])) end
return 1
"""
"""Stream, and its count if it has one; id and number of events of the entry, number, bytes and more fields of what
stays of it. 0 when somebody else removed it."""

REVIVE = """
if redis.call('XDEL', KEYS[3], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[1], '*', 'n', ARGV[2], 'e', ARGV[3])
return redis.call('INCRBY', KEYS[2], ARGV[2])
"""
"""Stream, count, dead letters; id, number and bytes of the one that is to be tried again."""
