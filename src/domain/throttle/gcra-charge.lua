-- Charges a bucket (gcra.ts says how) by Redis' own clock.
-- KEYS[1]: the bucket. ARGV: interval in microseconds, burst, how long the charge counts as under way in
-- microseconds; 0 where its outcome is known.
-- Returns {1 or 0, now, empty at, charges under way}.
-- The value is "empty at", or "empty at, charges under way, until".
local interval, burst, trial = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local empty_text, count_text, until_text = string.match(redis.call("GET", KEYS[1]) or "0", "^(%d+) ?(%d*) ?(%d*)$")
local empty_at, under_way, until_us = tonumber(empty_text), tonumber(count_text) or 0, tonumber(until_text) or 0
if empty_at <= now or until_us <= now then
  under_way = 0
end
local next_empty = math.max(empty_at, now) + interval
if next_empty - now > interval * burst then
  return {0, now, empty_at, under_way}
end
if trial > 0 then
  under_way = under_way + 1
  until_us = now + trial
end
local value = string.format("%.0f", next_empty)
if under_way > 0 then
  value = value .. string.format(" %d %.0f", under_way, until_us)
end
-- A second more than needed: expiry counts in rounded milliseconds, and must not forget early.
local keep_ms = math.ceil((next_empty - now) / 1000) + 1000
redis.call("SET", KEYS[1], value, "PX", string.format("%.0f", keep_ms))
return {1, now, next_empty, under_way}
