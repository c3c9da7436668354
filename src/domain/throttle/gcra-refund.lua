-- Takes a charge back, as far as it has not drained (gcra.ts says how).
-- KEYS[1]: the bucket. ARGV: interval in microseconds, when the bucket was to be empty right after the charge.
-- Returns {now, empty at}.
local interval, charged_until = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local empty_at = tonumber(redis.call("GET", KEYS[1]) or "0")
local left = math.min(interval, math.max(0, charged_until - now))
if empty_at == 0 or left == 0 then
  return {now, empty_at}
end
local next_empty = empty_at - left
if next_empty <= now then
  redis.call("DEL", KEYS[1])
else
  redis.call("SET", KEYS[1], string.format("%.0f", next_empty), "KEEPTTL")
end
return {now, next_empty}
