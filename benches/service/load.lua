-- One request after another about accounts at random; the last line of the output is "result", requests, microseconds, p50, p99, failures.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(args)
  work, accounts, reader, model, prefix = args[1], tonumber(args[2]), args[3], args[4], args[5]
  writers = {}
  for line in io.lines("writers") do
    writers[#writers + 1] = line
  end
  math.randomseed(number * 7919)
  count = 0
end

local function path(n)
  return string.format("/v1/accounts/acc_00000000000070009000%012x/", n)
end

function request()
  if work ~= "register" then
    local limit = work == "points" and "" or "?limit=10"
    return wrk.format("GET", path(math.random(accounts)) .. work .. limit, { ["Authorization"] = reader })
  end
  count = count + 1
  local n = math.random(#writers)
  local body = string.format(
    '{"model_id":"%s","serial_number":"%s%d%07d","purchase_date":"2024-05-17","purchase_country":"DK","dealer":"Foto Nord"}',
    model, prefix, number, count)
  return wrk.format("POST", path(n) .. "products", {
    ["Authorization"] = writers[n],
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = prefix .. "-" .. number .. "-" .. count,
  }, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  print(string.format("result %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed))
end
