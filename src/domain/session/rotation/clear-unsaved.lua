-- Takes members out that Postgres has by now, unless they were marked again since.
--
-- KEYS[1]  a shard of what is unsaved
-- ARGV     1 the latest mark that counts as saved, by Redis' clock in milliseconds; 2... the members
for index = 2, #ARGV do
  local marked = redis.call("ZSCORE", KEYS[1], ARGV[index])
  if marked and tonumber(marked) <= tonumber(ARGV[1]) then redis.call("ZREM", KEYS[1], ARGV[index]) end
end
return 0
