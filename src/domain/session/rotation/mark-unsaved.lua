-- Writes down that a session's record may move on before Postgres knows: whoever finds it here later, though
-- the process that marked it was killed, brings it to Postgres.
--
-- KEYS[1]  a shard of what is unsaved: a sorted set by time
-- ARGV     1 how long the shard is kept without being written to, in milliseconds; 2 the member
local clock = redis.call("TIME")
redis.call("ZADD", KEYS[1], clock[1] * 1000 + math.floor(clock[2] / 1000), ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[1])
return 0
