-- Sends the bodies of a file, one a line, in turn. args: method, header fields, "--", the file, where to begin, and
-- "wait" if a caller that is refused waits as long as Retry-After says.
local common = require("common")
local bodies, index
local pauses = {}

function init(args)
  local rest = common.read(args)
  bodies = common.lines(rest[1])
  index = tonumber(rest[2] or "0")
  if rest[3] ~= "wait" then return end
  -- All callers are alike, so it does not matter that the next one to send takes the pause of another.
  response = function(status, headers)
    if status == 200 then return end
    for name, value in pairs(headers) do
      if name:lower() == "retry-after" then pauses[#pauses + 1] = tonumber(value) * 1000 end
    end
  end
  delay = function() return table.remove(pauses, 1) or 0 end
end

function request()
  index = index % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[index])
end

done = common.done
