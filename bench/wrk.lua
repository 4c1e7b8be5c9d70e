-- Sends the requests of a file in turn, each with a number of its own, and counts answers that are
-- not in order. Arguments: the file, the first number, the text that each good answer contains.
-- In the file each request stands after its length and a line break.

local NUMBER = "#########"
local threads = {}
local templates = {}
local next_number, marker

failed = 0
sample = ""

function setup(thread)
  table.insert(threads, thread)
end

-- The parts of a request between which its number stands, as often as it is there.
local function split(text)
  local parts, start = {}, 1
  local place = text:find(NUMBER, start, true)
  while place do
    table.insert(parts, text:sub(start, place - 1))
    start = place + #NUMBER
    place = text:find(NUMBER, start, true)
  end
  table.insert(parts, text:sub(start))
  return parts
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for length in file:lines() do
    local text = file:read(tonumber(length))
    table.insert(templates, split(text))
  end
  file:close()
  next_number = tonumber(args[2])
  marker = args[3]
end

function request()
  local number = next_number
  next_number = number + 1
  return table.concat(templates[number % #templates + 1], string.format("%09d", number))
end

function response(status, headers, body)
  if not body:find(marker, 1, true) then
    failed = failed + 1
    sample = status .. " " .. body:sub(1, 200):gsub("%s+", " ")
  end
end

function done(summary, latency, _)
  local bad, text = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("failed")
    if thread:get("sample") ~= "" then text = thread:get("sample") end
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  if broken > 0 then
    bad, text = bad + broken, "broken connections " .. text
  end
  print(string.format("result %d %d %.0f %.0f %d %s", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), bad, text))
end
