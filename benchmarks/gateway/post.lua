-- wrk: POSTs one body with one key, and prints what came of it as a line of JSON. Latencies in microseconds.
-- Arguments: the key, and the file that holds the body.

function init(arguments)
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  wrk.headers["authorization"] = "Bearer " .. arguments[1]
  local file = assert(io.open(arguments[2], "rb"))
  wrk.body = file:read("*a")
  file:close()
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format(
    'RESULT {"requests": %d, "duration_us": %d, "failed": %d, "p50_us": %d, "p99_us": %d}',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
