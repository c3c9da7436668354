-- Takes members that have been unsaved for too long: nobody else takes them for as long again.
--
-- KEYS[1]  a shard of what is unsaved
-- ARGV     1 for how long they must have been there, in milliseconds; 2 how many are taken at most
-- Answers  { the time at which they are taken, members... }
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local members = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[1], "LIMIT", 0, ARGV[2])
for _, member in ipairs(members) do redis.call("ZADD", KEYS[1], now, member) end
table.insert(members, 1, now)
return members
