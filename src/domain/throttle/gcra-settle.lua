-- Ends a charge that was under way (gcra.ts says how): takes it back, as far as it has not drained, or lets it stand.
-- KEYS[1]: the bucket. ARGV: interval in microseconds, or 0 to let the charge stand; when the bucket was to be empty
-- right after the charge.
-- Returns {now, empty at}.
local interval, charged_until = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local empty_text, count_text, until_text = string.match(redis.call("GET", KEYS[1]) or "0", "^(%d+) ?(%d*) ?(%d*)$")
local empty_at, under_way = tonumber(empty_text), tonumber(count_text) or 0
local left = math.min(interval, math.max(0, charged_until - now))
if empty_at == 0 or (left == 0 and under_way == 0) then
  return {now, empty_at}
end
local next_empty = empty_at - left
if next_empty <= now then
  redis.call("DEL", KEYS[1])
  return {now, next_empty}
end
local value = string.format("%.0f", next_empty)
if under_way > 1 then
  value = value .. string.format(" %d %s", under_way - 1, until_text)
end
redis.call("SET", KEYS[1], value, "KEEPTTL")
return {now, next_empty}
