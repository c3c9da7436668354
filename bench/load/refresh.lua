-- Refreshes: the token of each answer is used for a later request, the oldest first. At the end the tokens that are left
-- are written back to their file for the next round; those under way are lost with their answers.
-- args: method, header fields, "--", the file of refresh tokens, one a line, the body before the token.
local common = require("common")
local before, sender
-- done() reads these of the thread.
tokens, first, last, path = {}, 1, 0, ""

function setup(thread) sender = thread end

function init(args)
  local rest = common.read(args)
  path, before = rest[1], rest[2]
  tokens = common.lines(path)
  last = #tokens
end

function request()
  local token = tokens[first]
  tokens[first] = nil
  if token then first = first + 1 end
  return wrk.format(nil, nil, nil, before .. (token or "none"))
end

function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token == nil then return end
  last = last + 1
  tokens[last] = token
end

function done(summary, latency)
  local kept = sender:get("tokens")
  local file = assert(io.open(sender:get("path"), "w"))
  for index = sender:get("first"), sender:get("last") do file:write(kept[index], "\n") end
  file:close()
  common.done(summary, latency)
end
