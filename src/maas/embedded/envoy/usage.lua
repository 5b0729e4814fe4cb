-- Reads the usage that a stream reports, for the access log, and keeps the frame that reports it from a client that
-- did not ask (STRIP): `chunk.choices[0]` fails on a frame without choices. Tells the client the usage of a plain answer,
-- with the total that Anthropic's lack.
--
-- Envoy's own sse_to_metadata was tried and rejected: 1.40 crashes on an event that is JSON but no object ("data: 1").
-- Nearly every chunk is looked at once and passed on as it is. Only an event with a usage object is read, and it is
-- read as JSON, not searched: a client could name a field "usage" in a tool, and some dialects send tools back.

local MOST = 1e15
local LONGEST_EVENT = 1048576
local PLACES = { {}, { "response" }, { "message" } }  -- chat; responses; Anthropic's message_start
local OPEN_BRACE = 123

local function count(text, usage, key)
  local value = member(text, usage, key)
  return value and tonumber(text:match("^%d+", value))
end

local function usage_in(event, start)
  for _, place in ipairs(PLACES) do
    local at = start
    for _, key in ipairs(place) do at = member(event, at, key) end
    local usage = member(event, at, "usage")
    if usage and event:byte(usage) == OPEN_BRACE then return usage end
  end
  return nil
end

-- what the event reports goes into the log; true if it is a usage frame
local function read_event(event, handle)
  if not event:find('"usage"%s*:%s*{') then return false end
  local start = event:match("^data:%s*(){") or event:match("\ndata:%s*(){")
  local usage = usage_in(event, start)
  if usage == nil then return false end
  local prompt = count(event, usage, "prompt_tokens") or count(event, usage, "input_tokens")
  local completion = count(event, usage, "completion_tokens") or count(event, usage, "output_tokens")
  local metadata = handle:streamInfo():dynamicMetadata()  -- anew each time: it must not be kept between chunks
  if prompt then metadata:set("maas", "prompt", prompt) end
  if completion then metadata:set("maas", "completion", completion) end
  local choices = member(event, start, "choices")
  return choices ~= nil and event:find("^%[%s*%]", choices) ~= nil
end

local function event_end(text, from)
  local _, lf = text:find("\n\n", from, true)
  local _, crlf = text:find("\r\n\r\n", from, true)
  if lf and crlf then return math.min(lf, crlf) end
  return lf or crlf
end

-- the text without usage frames, and the part of an event at its end
local function sift(text, handle)
  local kept, from = {}, 1
  local to = event_end(text, from)
  while to do
    local event = text:sub(from, to)
    if not read_event(event, handle) then kept[#kept + 1] = event end
    from = to + 1
    to = event_end(text, from)
  end
  return table.concat(kept), text:sub(from)
end

local function ends_an_event(text)
  return text:sub(-2) == "\n\n" or text:sub(-4) == "\r\n\r\n"
end

local function read_stream(handle)
  local begun = ""  -- an event whose end has not come; held back if it may have to be stripped
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      local text = chunk:getBytes(0, length)
      if begun ~= "" or not ends_an_event(text) or text:find('"usage"%s*:%s*{') then
        local kept, rest = sift(begun .. text, handle)
        if #rest > LONGEST_EVENT then kept, rest = kept .. rest, "" end
        begun = rest
        if STRIP then chunk:setBytes(kept) end
      end
    end
  end
end

-- a count in what the filter `read_usage` found: there may be anything in it, strings with line feeds included
local function whole(value)
  return type(value) == "number" and value >= 0 and value < MOST and math.floor(value) or nil
end

-- the usage of a plain answer goes into its headers
local function tell(handle, headers)
  local found = handle:streamInfo():dynamicMetadata():get("maas") or {}
  local input, output, total = whole(found.prompt), whole(found.completion), whole(found.total)
  local told = { input = input, output = output, total = total or (input and output and input + output) }
  for kind, tokens in pairs(told) do
    headers:replace("x-odhu-usage-" .. kind .. "-tokens", string.format("%d", tokens))
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local content_type = headers:get("content-type") or ""
  if content_type:sub(1, 17) == "text/event-stream" then
    read_stream(handle)
  else
    tell(handle, headers)
  end
end
