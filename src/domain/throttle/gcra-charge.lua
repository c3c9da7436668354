-- Charges buckets (gcra.ts says how) by Redis' own clock, one after the other, up to the first that refuses.
-- KEYS: the buckets. ARGV, three for each: interval in microseconds, burst, how long the charge counts as under way in
-- microseconds; 0 where its outcome is known.
-- Returns {1 or 0, now, empty at, charges under way} of each bucket that was asked, all in one list.
-- The value is "empty at", or "empty at, charges under way, until".
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]

local function charge(key, interval, burst, trial)
  local empty_text, count_text, until_text = string.match(redis.call("GET", key) or "0", "^(%d+) ?(%d*) ?(%d*)$")
  local empty_at, under_way, until_us = tonumber(empty_text), tonumber(count_text) or 0, tonumber(until_text) or 0
  if empty_at <= now or until_us <= now then
    under_way = 0
  end
  local next_empty = math.max(empty_at, now) + interval
  if next_empty - now > interval * burst then
    return 0, empty_at, under_way
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
  redis.call("SET", key, value, "PX", string.format("%.0f", keep_ms))
  return 1, next_empty, under_way
end

local states = {}
for index, key in ipairs(KEYS) do
  local at = 3 * index - 2
  local allowed, empty_at, under_way = charge(key, tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
  for _, number in ipairs({allowed, now, empty_at, under_way}) do
    states[#states + 1] = number
  end
  if allowed == 0 then
    break
  end
end
return states
