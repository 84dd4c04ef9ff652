-- Looks at each body for the expected text; with `follows`, fetches what `resultUrl` links to.
local method, body, expected, path, follows = "GET", "", "", "/", false
local links, first, last = {}, 1, 0
local threads = {}
right, wrong, fetched = 0, 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  method, body, expected, path = arguments[1], arguments[2], arguments[3], arguments[4]
  follows = arguments[5] == "follows"
  local headers = body ~= "" and { ["Content-Type"] = "application/json" } or nil
  fixed = wrk.format(method, path, headers, body ~= "" and body or nil)
end

function request()
  if follows and first <= last then
    local link = links[first]
    links[first] = nil
    first = first + 1
    return wrk.format("GET", link)
  end
  return fixed
end

function response(status, headers, text)
  local is_right = status == 200 and string.find(text, expected, 1, true) ~= nil
  if not is_right then
    wrong = wrong + 1
  elseif not follows then
    right = right + 1
  elseif string.find(text, '"request_id"', 1, true) then
    fetched = fetched + 1
    right = right + 1
  else
    last = last + 1
    links[last] = string.match(text, '"resultUrl":"https?://[^/]+([^"]+)"')
  end
end

function done(summary, latency)
  local answers, refused = 0, 0
  for _, thread in ipairs(threads) do
    answers = answers + thread:get("right")
    refused = refused + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format('\n{"answers": %d, "wrong": %d, "lost": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f}\n',
    answers, refused, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
