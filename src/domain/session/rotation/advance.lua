-- Decides what refresh tokens mean, and moves their sessions' counters on, in one step: decide-refresh.ts and
-- rotation-state.ts in Redis, by Redis' clock. Only ages come in and go out; times stay here.
--
-- KEYS  the records of the sessions; then, where they all lie together, the shard of what is unsaved for each: who
--       finds the session there later, though the process that moved it on was killed, brings it to Postgres
-- ARGV  1 how long a record is kept, 2 how long a shard is kept without being written to, in milliseconds
--       3... a text for each session: "read" to read the record alone, or these words:
--          1 the presented generation
--          2 the grace in milliseconds
--          3 the id of the secret key that a rotation is made under
--          4 where the caller is (16 hexadecimal digits)
--          5 what Postgres knows, below which nothing counts: the generation,
--          6 the id of its secret key, 7 where its last rotation came from,
--          8 the first generation whose parent gets a late answer ("-" for none)
--          9 the session's name in its shard, 10... the ages of the rotations that Postgres knows
-- Answers  a text for each session: its decision, generation, id of the secret key, origin and ages, as they are now;
--          an empty one to a reading where there is no record; "failed" where the key holds something else
--
-- A record is a text of fixed length: "1", the generation (14 hexadecimal digits), the id of the secret key
-- (8), the origin (16) and the times of four rotations (12 each, the latest last, 0 for none).

local REMEMBERED = 4
local CLOCK_SLACK_MS = 2000
local LENGTH = 1 + 14 + 8 + 16 + REMEMBERED * 12

local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function unpack_record(record)
  if not record or #record ~= LENGTH or not string.find(record, "^1%x+$") then return nil end
  local state = {
    generation = tonumber(string.sub(record, 2, 15), 16),
    key_id = string.sub(record, 16, 23),
    origin = string.sub(record, 24, 39),
    times = {},
  }
  for at = 40, LENGTH, 12 do
    local time = tonumber(string.sub(record, at, at + 11), 16)
    if time > 0 then table.insert(state.times, time) end
  end
  return state
end

local function pack_record(state)
  local parts = { "1", string.format("%014x", state.generation), state.key_id, state.origin }
  for index = #state.times - REMEMBERED + 1, #state.times do
    table.insert(parts, string.format("%012x", state.times[index] or 0))
  end
  return table.concat(parts)
end

local function answer(decision, state)
  local words = { decision, string.format("%.0f", state.generation), state.key_id, state.origin }
  for _, time in ipairs(state.times) do table.insert(words, string.format("%.0f", now - time)) end
  return table.concat(words, " ")
end

local function time_of(state, step)
  return state.times[#state.times - (state.generation - step)]
end

local function decided_time_of(state, step)
  local time = time_of(state, step)
  if time == time_of(state, step + 1) then return nil end
  return time
end

local function merge(one, other)
  local ahead, behind = one, other
  if other.generation > one.generation then ahead, behind = other, one end
  local times = {}
  for step = ahead.generation, ahead.generation - REMEMBERED + 1, -1 do
    local time, other_time = time_of(ahead, step), time_of(behind, step)
    if not time and not other_time then break end
    table.insert(times, 1, math.min(time or other_time, other_time or time))
  end
  return { generation = ahead.generation, key_id = ahead.key_id, origin = ahead.origin, times = times }
end

local function have_diverged(one, other, grace)
  for step = one.generation - #one.times + 1, one.generation do
    local time, other_time = decided_time_of(one, step), decided_time_of(other, step)
    if time and other_time and math.abs(time - other_time) > grace + CLOCK_SLACK_MS then return true end
  end
  return false
end

local function is_in_grace(time, grace)
  return time ~= nil and grace > 0 and now - time < grace
end

local function decide(presented, state, grace, late_from)
  if presented > state.generation then return "catch_up" end
  if presented == state.generation then
    local is_full = #state.times >= REMEMBERED and is_in_grace(state.times[1], grace)
    return is_full and "replay" or "rotate"
  end
  if is_in_grace(time_of(state, presented + 1), grace) then return "replay" end
  local is_late = presented == state.generation - 1 and grace > 0 and late_from and state.generation >= late_from
  return is_late and "late" or "reuse"
end

local function advance(key, shard, request)
  local text = redis.pcall("GET", key)
  if type(text) == "table" then return "failed" end
  local record = unpack_record(text)
  if request == "read" then return record and answer("read", record) or "" end

  local words = {}
  for word in string.gmatch(request, "%S+") do table.insert(words, word) end
  local presented, grace = tonumber(words[1]), tonumber(words[2])
  local state = { generation = tonumber(words[5]), key_id = words[6], origin = words[7], times = {} }
  for index = 10, #words do table.insert(state.times, now - tonumber(words[index])) end
  if record then
    if have_diverged(record, state, grace) then return answer("diverged", merge(record, state)) end
    state = merge(record, state)
  end

  local decision = decide(presented, state, grace, tonumber(words[8]))
  if decision == "rotate" or decision == "catch_up" then
    for _ = 1, math.min(presented + 1 - state.generation, REMEMBERED) do table.insert(state.times, now) end
    while #state.times > REMEMBERED do table.remove(state.times, 1) end
    state.generation, state.key_id, state.origin = presented + 1, words[3], words[4]
    if shard then
      redis.call("ZADD", shard, now, words[9])
      redis.call("PEXPIRE", shard, ARGV[2])
    end
    redis.call("SET", key, pack_record(state), "PX", ARGV[1])
  end
  return answer(decision, state)
end

local count = #ARGV - 2
local answers = {}
for index = 1, count do answers[index] = advance(KEYS[index], KEYS[count + index], ARGV[index + 2]) end
return answers
