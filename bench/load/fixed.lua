-- Sends the same request again and again. args: method, header fields, "--", the body's file or nothing.
local common = require("common")

function init(args)
  local path = common.read(args)[1]
  if path then
    local file = assert(io.open(path, "rb"))
    wrk.body = file:read("*a")
    file:close()
  end
end

done = common.done
