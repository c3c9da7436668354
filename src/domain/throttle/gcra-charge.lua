-- Charges a bucket (gcra.ts says how) by Redis' own clock.
-- KEYS[1]: the bucket. ARGV: interval in microseconds, burst.
-- Returns {1 or 0, now, empty at}.
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local empty_at = tonumber(redis.call("GET", KEYS[1]) or "0")
local next_empty = math.max(empty_at, now) + interval
if next_empty - now > interval * burst then
  return {0, now, empty_at}
end
-- A second more than needed: expiry counts in rounded milliseconds, and must not forget early.
local keep_ms = math.ceil((next_empty - now) / 1000) + 1000
redis.call("SET", KEYS[1], string.format("%.0f", next_empty), "PX", string.format("%.0f", keep_ms))
return {1, now, next_empty}
