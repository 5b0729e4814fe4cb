-- Keeps the usage frame from a client that did not ask for it: `chunk.choices[0]` fails on a frame without choices.
-- A chunk of whole events without such a frame, which is nearly every chunk, is looked at once and not copied back.
-- Part of an event is held until its end has come. Text of the model can't be mistaken for a frame's own fields:
-- its quotes are escaped.

local LONGEST_EVENT = 1048576

local function is_usage_frame(event)
  return event:find('"choices"%s*:%s*%[%s*%]') ~= nil and event:find('"usage"%s*:%s*{') ~= nil
end

-- the end of the event that starts at `from`, or nil
local function event_end(text, from)
  local _, lf = text:find("\n\n", from, true)
  local _, crlf = text:find("\r\n\r\n", from, true)
  if lf and crlf then return math.min(lf, crlf) end
  return lf or crlf
end

-- text without usage frames, and the part of an event at its end
local function sift(text)
  local kept, from = {}, 1
  local to = event_end(text, from)
  while to do
    local event = text:sub(from, to)
    if not is_usage_frame(event) then kept[#kept + 1] = event end
    from = to + 1
    to = event_end(text, from)
  end
  return table.concat(kept), text:sub(from)
end

function envoy_on_response(handle)
  local content_type = handle:headers():get("content-type")
  if content_type == nil or content_type:sub(1, 17) ~= "text/event-stream" then return end
  local held = ""
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      local text = chunk:getBytes(0, length)
      local whole = held == "" and (text:sub(-2) == "\n\n" or text:sub(-4) == "\r\n\r\n")
      if not whole or text:find('"choices"%s*:%s*%[%s*%]') then
        local kept
        kept, held = sift(held .. text)
        if #held > LONGEST_EVENT then kept, held = kept .. held, "" end
        chunk:setBytes(kept)
      end
    end
  end
end
