-- Keeps from clients what a server that somebody else runs says of itself: its headers, its own name for the model, and
-- the inside of its errors. Runs beside the connection to that server, so it knows whose answer it has.
-- What comes before this: NAME, what clients call the model; SECRETS, texts that must not leave (names, hosts, keys);
-- SHOW_ERRORS, whether the words of an error may be read, where the client can do something about it.
--
-- One that only the administrator can mend (401, 403: our key was refused) is the platform's own fault, and so is a 5xx.

local KEPT = { ["content-type"] = true, ["content-length"] = true, ["retry-after"] = true, [":status"] = true,
               ["transfer-encoding"] = true }
local TELLING = { ["400"] = true, ["404"] = true, ["413"] = true, ["422"] = true }
local MESSAGES = {
  ["401"] = "The platform could not log in at the server of this model. Its administrator has to see to it.",
  ["403"] = "The platform may not use the server of this model. Its administrator has to see to it.",
  ["429"] = "The server of this model has too much to do. Try again later.",
}
local REFUSED = "The server of this model refused the request: see to its parameters and to the length of the prompt."
-- what a client may act on without any words
local CODES = { context_length_exceeded = true, content_filter = true, content_policy_violation = true,
                invalid_value = true, unsupported_parameter = true, unsupported_value = true, invalid_image = true }
local ELSE = "The server of this model failed. Try again."
local LONGEST_EVENT = 1048576

local function plain(text) return (text:gsub("%W", "%%%0")) end

local function without_secrets(text)
  for _, secret in ipairs(SECRETS) do text = text:gsub(plain(secret), (NAME:gsub("%%", "%%%%"))) end
  return text
end

-- the first is the answer's own: in texts of the model or the client, quotes are escaped
local function renamed(text)
  return (text:gsub('("model"%s*:%s*)"[^"\\]*"', function(key) return key .. '"' .. NAME .. '"' end, 1))
end

local function drop_headers(headers)
  local names = {}
  for name in pairs(headers) do
    if not KEPT[name] and name:sub(1, 1) ~= ":" then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

local function ends_an_event(text)
  return text:sub(-2) == "\n\n" or text:sub(-4) == "\r\n\r\n"
end

-- an event whose end has not come is held back: the name may be in two pieces
local function rename_stream(handle)
  local begun = ""
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      local text = begun .. chunk:getBytes(0, length)
      if ends_an_event(text) or #text > LONGEST_EVENT then
        chunk:setBytes((text:gsub("[^\n]+", renamed)))
        begun = ""
      else
        chunk:setBytes("")
        begun = text
      end
    elseif begun ~= "" then
      chunk:setBytes(begun)
      begun = ""
    end
  end
end

local function error_body(message, kind, code)
  return '{"error":{"message":"' .. message .. '","type":"' .. kind .. '","param":null,"code":"' .. code .. '"}}'
end

local function refusal(text)
  local code = text:match('"code"%s*:%s*"([%l_]+)"')
  return error_body(REFUSED, "invalid_request_error", code and CODES[code] and code or "refused_by_model")
end

local function failure(handle, status)
  local body = handle:body(true)
  local text = error_body(MESSAGES[status] or ELSE, "api_error", "model_unavailable")
  local headers = handle:headers()
  if status == "401" or status == "403" then headers:replace(":status", "502") end
  headers:replace("content-type", "application/json")
  headers:remove("transfer-encoding")
  headers:replace("content-length", tostring(body:setBytes(text)))
end

local function rewritten(handle, change)
  local body = handle:body(true)
  local length = body:setBytes(change(body:getBytes(0, body:length())))
  handle:headers():replace("content-length", tostring(length))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status, content_type = headers:get(":status"), headers:get("content-type") or ""
  drop_headers(headers)
  if TELLING[status] then
    headers:replace("content-type", "application/json")
    rewritten(handle, function(text) return SHOW_ERRORS and renamed(without_secrets(text)) or refusal(text) end)
  elseif status:sub(1, 1) ~= "2" then
    failure(handle, status)
  elseif content_type:sub(1, 17) == "text/event-stream" then
    rename_stream(handle)
  elseif content_type:find("json", 1, true) then
    rewritten(handle, renamed)
  end
end
