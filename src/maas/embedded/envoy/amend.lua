-- Writes what the platform adds into the request's JSON object: `stream_options`, so that a stream reports its usage,
-- and `model`, where the path or the host named it. The rest of the body stays as the client wrote it. The transform
-- filter's MERGE would write it anew: keys sorted, which changes the order of the fields a structured answer has, and
-- large integers rounded; and it takes 0.3 s for a MiB of some bodies.
-- Runs only after `extract` has found that the body is a JSON object, and where these keys stand in it if it has them.

local CLOSING_BRACE = 125
local OTHER_OPTIONS = { "include_obfuscation", "continuous_usage_stats" }  -- OpenAI's, vLLM's

-- those of the client's other options that are known stay
local function usage_options(written)
  local options = { '{"include_usage":true' }
  for _, name in ipairs(OTHER_OPTIONS) do
    local value = written:match('"' .. name .. '"%s*:%s*(%l+)')
    if value == "true" or value == "false" then options[#options + 1] = '"' .. name .. '":' .. value end
  end
  return table.concat(options, ",") .. "}"
end

local function wanted(headers)
  local values = {}
  local model = headers:get("x-maas-write-model")
  if model then values.model = '"' .. model:gsub('["\\]', "\\%0") .. '"' end
  if headers:get("x-maas-force-usage") then
    values.stream_options = usage_options(headers:get("x-maas-stream-options") or "")
  end
  return values
end

local function places(headers, values)
  local found = {}
  for key in pairs(values) do
    local first, last = (headers:get("x-maas-" .. key:gsub("_", "-") .. "-at") or ""):match("^(%d+)-(%d+)$")
    found[key] = first and { tonumber(first), tonumber(last) } or nil
  end
  return found
end

local function closing_brace(text)
  local last = #text
  while last > 0 and text:byte(last) ~= CLOSING_BRACE do last = last - 1 end
  return last
end

-- the edits in the order of their places: where what is replaced begins and ends, and what comes there
local function edits(text, values, found)
  local list, brace = {}, closing_brace(text)
  local comma = text:find("^%s*{%s*}") and "" or ","
  for key, value in pairs(values) do
    local place = found[key]
    if place then
      list[#list + 1] = { place[1], place[2], value }
    else
      list[#list + 1] = { brace, brace - 1, comma .. '"' .. key .. '":' .. value }
      comma = ","
    end
  end
  table.sort(list, function(one, other) return one[1] < other[1] end)
  return list
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local values = wanted(headers)
  local found = places(headers, values)
  local body = handle:body()
  if body == nil then return end
  local text = body:getBytes(0, body:length())
  local parts, at = {}, 1
  for _, edit in ipairs(edits(text, values, found)) do
    parts[#parts + 1] = text:sub(at, edit[1] - 1)
    parts[#parts + 1] = edit[3]
    at = edit[2] + 1
  end
  parts[#parts + 1] = text:sub(at)
  body:setBytes(table.concat(parts))
end
