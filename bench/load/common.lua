-- What every script of wrk shares: one fixed request line and header, and the figures as one line of JSON.
local common = {}

-- args: method, then header fields as "name: value", up to "--".
function common.read(args)
  wrk.method = args[1]
  local rest = {}
  local inHeaders = true
  for index = 2, #args do
    if inHeaders and args[index] == "--" then
      inHeaders = false
    elseif inHeaders then
      local name, value = args[index]:match("^([^:]+): (.*)$")
      wrk.headers[name] = value
    else
      rest[#rest + 1] = args[index]
    end
  end
  return rest
end

function common.lines(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

-- Latencies are in microseconds; a request that was answered with an error status counts as an error.
function common.done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"errors":%d,"p50Us":%d,"p99Us":%d,"bytes":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), summary.bytes))
end

return common
