-- Refreshes: the token of each answer is used for a later request, the oldest first. A second before the end the tokens
-- that wait are written back to their file for the next round; the last few of them serve the rest of this one.
-- args: method, header fields, "--", the file of refresh tokens, one a line, the body before the token, the seconds.
local common = require("common")
local reserve = 300
local tokens, first, last, path, before, keepAt

function init(args)
  local rest = common.read(args)
  path, before = rest[1], rest[2]
  tokens = common.lines(path)
  first, last = 1, #tokens
  keepAt = os.time() + tonumber(rest[3]) - 1
end

local function keep()
  local file = assert(io.open(path, "w"))
  for index = first, last - reserve do file:write(tokens[index], "\n") end
  file:close()
  first = math.max(first, last - reserve + 1)
  keepAt = math.huge
end

function request()
  if os.time() >= keepAt then keep() end
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return wrk.format(nil, nil, nil, before .. (token or "none"))
end

function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token == nil then return end
  last = last + 1
  tokens[last] = token
end

done = common.done
