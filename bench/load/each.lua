-- Sends the bodies of a file, one a line, in turn. args: method, header fields, "--", the file, where to begin.
local common = require("common")
local bodies, index

function init(args)
  local rest = common.read(args)
  bodies = common.lines(rest[1])
  index = tonumber(rest[2] or "0")
end

function request()
  index = index % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[index])
end

done = common.done
