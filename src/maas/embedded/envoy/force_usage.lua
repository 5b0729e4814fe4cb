-- Makes a stream report its usage: adds `stream_options` as the last key of the request's JSON object.
-- The rest of the body stays as the client wrote it. The transform filter's MERGE would write it anew: keys sorted,
-- which changes the order of the fields a structured answer has, and large integers rounded.
-- Runs only after `extract` has found that the body is a JSON object and has no stream_options (or null: the last of
-- two equal keys wins at every server we know).

local OPTIONS = '"stream_options":{"include_usage":true}}'
local CLOSING_BRACE = 125

function envoy_on_request(handle)
  local body = handle:body()
  if body == nil then return end
  local text = body:getBytes(0, body:length())
  local last = #text
  while last > 0 and text:byte(last) ~= CLOSING_BRACE do last = last - 1 end
  if last == 0 then return end
  body:setBytes(text:sub(1, last - 1) .. "," .. OPTIONS)
end
