-- Ends charges that were under way (gcra.ts says how): takes them back, as far as they have not drained, or lets them
-- stand.
-- KEYS: the buckets. ARGV, two for each: interval in microseconds, or 0 to let the charge stand; when the bucket was to
-- be empty right after the charge.
-- Returns {now, empty at} of each bucket, all in one list.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]

local function settle(key, interval, charged_until)
  local empty_text, count_text, until_text = string.match(redis.call("GET", key) or "0", "^(%d+) ?(%d*) ?(%d*)$")
  local empty_at, under_way = tonumber(empty_text), tonumber(count_text) or 0
  local left = math.min(interval, math.max(0, charged_until - now))
  if empty_at == 0 or (left == 0 and under_way == 0) then
    return empty_at
  end
  local next_empty = empty_at - left
  if next_empty <= now then
    redis.call("DEL", key)
    return next_empty
  end
  local value = string.format("%.0f", next_empty)
  if under_way > 1 then
    value = value .. string.format(" %d %s", under_way - 1, until_text)
  end
  redis.call("SET", key, value, "KEEPTTL")
  return next_empty
end

local states = {}
for index, key in ipairs(KEYS) do
  states[#states + 1] = now
  states[#states + 1] = settle(key, tonumber(ARGV[2 * index - 1]), tonumber(ARGV[2 * index]))
end
return states
