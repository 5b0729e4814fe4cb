-- Keeps from clients what a server that somebody else runs says of itself: its headers, its own name for the model, and
-- the inside of its errors. Runs beside the connection to that server, so it knows whose answer it has.
-- What comes before this: NAME, what clients call the model; SECRETS, texts that no error may say (names, hosts, keys);
-- KEYS, our keys at these servers; SHOW_ERRORS, whether the words of an error may be read, where the client can do
-- something about it; and json.lua.
--
-- An answer is read as JSON and not searched: clients have a say in some of it (the tools and the metadata that
-- /v1/responses repeats), and could hide the name behind one of their own. What can't be read does not pass.
-- A model may speak of its name. A key has no place in an answer, so it is taken out wherever it stands as it is; a
-- server that means to give it away can write it in another way, in what the model says or in fields of its own.
-- An error that only the administrator can mend (our key was refused) is the platform's own fault, and so is a 5xx.
-- On Anthropic's path, errors have its shape, which is OpenAI's in an envelope.

local KEPT = { ["content-type"] = true, ["content-length"] = true, ["retry-after"] = true, [":status"] = true,
               ["transfer-encoding"] = true }
local LATER = { ["408"] = true, ["409"] = true, ["425"] = true, ["429"] = true }
local OURS = { ["401"] = true, ["402"] = true, ["403"] = true, ["407"] = true }
local MESSAGES = {
  ["401"] = "The platform could not log in at the server of this model. Its administrator has to see to it.",
  ["402"] = "The platform has no credit left at the server of this model. Its administrator has to see to it.",
  ["403"] = "The platform may not use the server of this model. Its administrator has to see to it.",
  ["429"] = "The server of this model has too much to do. Try again later.",
}
local REFUSED = "The server of this model refused the request: see to its parameters and to the length of the prompt."
-- what a client may act on without any words
local CODES = { context_length_exceeded = true, content_filter = true, content_policy_violation = true,
                invalid_value = true, unsupported_parameter = true, unsupported_value = true, invalid_image = true }
local ELSE = "The server of this model failed. Try again."
local UNREADABLE = "The server of this model answered with something else than it was asked for."
-- say which server, or whose: the last two are vLLM's and llama.cpp's
local NULLED = { system_fingerprint = true, provider = true, kv_transfer_params = true, __verbose = true }
local INSIDE = { response = true, message = true }  -- of a stream: /v1/responses; Anthropic's message_start
local SHORTEST_KEY = 16  -- "none", "EMPTY" and the like are words, and no secrets
local LONGEST_EVENT = 32 * 1048576
local LONGEST_ERROR = 65536
local NEAR = 4096
local BULK = 1048576
local DATE = "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$"
local EVENTS = { "^response[%l_.]*$", "^message_%l+$", "^content_block_%l+$", "^error$", "^ping$" }
local OPEN_OBJECT, OPEN_ARRAY, QUOTATION, LINE_FEED, CARRIAGE_RETURN = 123, 91, 34, 10, 13

local function plain(text) return (text:gsub("%W", "%%%0")) end

local function without_secrets(text)
  for _, secret in ipairs(SECRETS) do text = text:gsub(plain(secret), (NAME:gsub("%%", "%%%%"))) end
  return text
end

local OUR_KEYS, LONGEST_KEY = {}, 1
for _, key in pairs(KEYS) do
  if #key >= SHORTEST_KEY then
    OUR_KEYS[#OUR_KEYS + 1] = key
    LONGEST_KEY = math.max(LONGEST_KEY, #key)
  end
end

local function without_keys(text)
  for _, key in ipairs(OUR_KEYS) do
    if text:find(key, 1, true) then text = text:gsub(plain(key), "***") end
  end
  return text
end

local function error_value(message, kind, code)
  return '{"message":"' .. message .. '","type":"' .. kind .. '","param":null,"code":"' .. code .. '"}'
end

local function spoken(handle, key)
  local state = handle:streamInfo():dynamicMetadata():get(STATE)
  return state ~= nil and state[key] == true
end

local function error_body(handle, value)
  return (spoken(handle, "messages") and '{"type":"error","error":' or '{"error":') .. value .. "}"
end

local FAILED = error_value(ELSE, "api_error", "model_unavailable")

local function shown(text) return SHOW_ERRORS and without_secrets(text) or nil end

-- the edits that an object needs: lists of first, stop, what comes there; and where it ends, nil if it does not
local function edits(text, at, list, depth)
  local first_message, stop_message, is_error, broken
  local function inside(first) broken = broken or select(2, edits(text, first, list, 1)) == nil end
  local function visit(key, first, stop)
    local kind = text:byte(first)
    if text:sub(first, stop - 1) == "null" then return end
    if key == "model" then
      list[#list + 1] = { first, stop, '"' .. NAME .. '"' }
    elseif NULLED[key] then
      list[#list + 1] = { first, stop, "null" }
    elseif key == "error" then
      list[#list + 1] = { first, stop, shown(text:sub(first, stop - 1)) or FAILED }
    elseif key == "type" then
      is_error = text:sub(first, stop - 1) == '"error"'
    elseif key == "message" and kind == QUOTATION then
      first_message, stop_message = first, stop
    elseif depth == 0 and kind == OPEN_OBJECT and INSIDE[key] then
      inside(first)
    elseif depth == 0 and kind == OPEN_ARRAY and key == "choices" then  -- each may have an error of its own
      each_element(text, first, function(element)
        if text:byte(element) == OPEN_OBJECT then inside(element) end
      end)
    end
  end
  local ends = each_member(text, at, visit)
  if broken then ends = nil end
  if ends and is_error and first_message then
    local words = shown(text:sub(first_message, stop_message - 1)) or '"' .. ELSE .. '"'
    list[#list + 1] = { first_message, stop_message, words }
  end
  return list, ends
end

-- a whole object as clients may see it; nil for anything else
local function disguised(text)
  local at = text:match("^%s*(){")
  if at == nil then return nil end
  local list, ends = edits(text, at, {}, 0)
  if ends == nil or text:find("%S", ends) then return nil end
  table.sort(list, function(one, other) return one[1] < other[1] end)
  local parts, from = {}, 1
  for _, edit in ipairs(list) do
    parts[#parts + 1] = text:sub(from, edit[1] - 1)
    parts[#parts + 1] = edit[3]
    from = edit[2]
  end
  parts[#parts + 1] = text:sub(from)
  return without_keys(table.concat(parts))
end

local function drop_headers(headers)
  local names = {}
  for name in pairs(headers) do
    if not KEPT[name] and name:sub(1, 1) ~= ":" then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
  local later = headers:get("retry-after")
  if later and not later:find("^%d+$") and not later:find(DATE) then headers:remove("retry-after") end
end

local function lines(text)
  local from = 1
  return function()
    if from > #text then return nil end
    local stop = text:find("\n", from, true) or #text + 1
    local line = text:sub(from, stop - 1)
    from = stop + 1
    return line
  end
end

local function is_known_event(name)
  for _, known in ipairs(EVENTS) do
    if name:find(known) then return true end
  end
  return false
end

-- Of an event, its name and its data; of a comment, that there was one. Some say whose server it is in comments.
local function disguised_event(event)
  local said, data = {}, {}
  for line in lines(event) do
    local field, at = line:match("^(%a*): ?()")
    local value = at and line:sub(at)
    if field == "" and said[#said] ~= ":" then
      said[#said + 1] = ":"
    elseif field == "event" and is_known_event(value) then
      said[#said + 1] = line
    elseif field == "data" then
      data[#data + 1] = value
    end
  end
  local text = table.concat(data, " ")
  if #data > 0 then
    local seen = text:find("^%s*%[DONE%]%s*$") and text or disguised(text)
    if seen == nil then return "" end
    said[#said + 1] = "data: " .. seen
  end
  return #said > 0 and table.concat(said, "\n") .. "\n\n" or ""
end

-- the whole events of a text, disguised, and what is left of it
local function sift_events(text)
  local told, from = {}, 1
  local _, stop = text:find("\n\n", from, true)
  while stop do
    told[#told + 1] = disguised_event(text:sub(from, stop))
    from = stop + 1
    _, stop = text:find("\n\n", from, true)
  end
  return table.concat(told), text:sub(from)
end

-- Lines may end with CR, LF or both. Returns a piece of a stream with LF only, and whether its last was a CR, so that
-- an LF at the begin of the next belongs to it.
local function with_line_feeds(text, after_return)
  if after_return and text:byte(1) == LINE_FEED then text = text:sub(2) end
  if not text:find("\r", 1, true) then return text, false end
  return (text:gsub("\r\n?", "\n")), text:byte(-1) == CARRIAGE_RETURN
end

-- What has no end yet is held back, in pieces: putting them together each time would take the square of their number.
local function rename_stream(handle)
  local pieces, held, last, after_return = {}, 0, "", false
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    local text = length > 0 and chunk:getBytes(0, length) or ""
    if length > 0 then text, after_return = with_line_feeds(text, after_return) end
    pieces[#pieces + 1] = text
    held = held + #text
    if length == 0 then
      chunk:setBytes(disguised_event(table.concat(pieces)))
      pieces, held, last = {}, 0, ""
    elseif (last .. text):find("\n\n", 1, true) then
      local told, rest = sift_events(table.concat(pieces))
      chunk:setBytes(told)
      pieces, held, last = { rest }, #rest, rest:sub(-1)
    else
      chunk:setBytes("")
      last = (last .. text):sub(-1)
      if held > LONGEST_EVENT then pieces, held = {}, 0 end
    end
  end
end

local function renamed_near(text)
  return text:gsub('("model"%s*:%s*)"[^"]*"', function(key) return key .. '"' .. NAME .. '"' end, 1)
end

-- Embeddings may be many megabytes of numbers, which nobody wants to pass over byte by byte; the name is near one of
-- their ends, and no text of a client's is in there. What is small is read as any other answer.
local function rename_bulk(handle)
  local pieces, held, begun, found = {}, 0, false, 0
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      pieces[#pieces + 1] = chunk:getBytes(0, length)
      held = held + length
    end
    if length == 0 then
      local text = table.concat(pieces)
      if not begun then text = disguised(text) or error_body(handle, FAILED) end
      chunk:setBytes(found == 0 and begun and renamed_near(text) or text)
    elseif not begun and held < BULK then
      chunk:setBytes("")
    else
      local text, head = without_keys(table.concat(pieces)), ""
      if not begun then
        head, found = renamed_near(text:sub(1, NEAR))
        text, begun = text:sub(NEAR + 1), true
      end
      local keep = math.min(#text, found > 0 and LONGEST_KEY - 1 or math.max(NEAR, LONGEST_KEY))
      chunk:setBytes(head .. text:sub(1, #text - keep))
      pieces, held = { text:sub(#text - keep + 1) }, keep
    end
  end
end

local function replace_body(handle, status, text)
  local body = handle:body(true)
  local length = body:setBytes(text)
  local headers = handle:headers()
  headers:replace(":status", status)
  headers:replace("content-type", "application/json")
  headers:remove("transfer-encoding")
  headers:replace("content-length", tostring(length))
end

local function refusal(text)
  local code = text:match('"code"%s*:%s*"([%l_]+)"')
  return error_value(REFUSED, "invalid_request_error", code and CODES[code] and code or "refused_by_model")
end

local function refuse(handle, status, encoded)
  local body = handle:body(true)
  local length = body:length()
  local text = encoded and "" or body:getBytes(0, math.min(length, LONGEST_ERROR))
  local whole = length <= LONGEST_ERROR and shown(text)
  replace_body(handle, status, whole and disguised(whole) or error_body(handle, refusal(text)))
end

local function refuses(status) return status:find("^4") and not OURS[status] and not LATER[status] end

local function fail(handle, status)
  local number = tonumber(status) or 0
  local message = MESSAGES[status] or (number < 400 and UNREADABLE) or ELSE
  local told = (OURS[status] or number < 400 or number > 599) and "502" or status
  replace_body(handle, told, error_body(handle, error_value(message, "api_error", "model_unavailable")))
end

local function rename(handle)
  local body = handle:body(true)
  local text = disguised(body:getBytes(0, body:length()))
  if text == nil then return fail(handle, "200") end
  handle:headers():replace("content-length", tostring(body:setBytes(text)))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status, content_type = headers:get(":status"), (headers:get("content-type") or ""):lower()
  local encoding = (headers:get("content-encoding") or "identity"):lower()
  drop_headers(headers)
  if refuses(status) then
    refuse(handle, status, encoding ~= "identity")
  elseif status ~= "200" or encoding ~= "identity" then
    fail(handle, status)
  elseif content_type:find("^text/event%-stream") then
    headers:replace("content-type", "text/event-stream")
    headers:remove("content-length")
    rename_stream(handle)
  elseif not content_type:find("^application/json") then
    fail(handle, status)
  else
    headers:replace("content-type", "application/json")
    if spoken(handle, "bulk") and (tonumber(headers:get("content-length") or "") or BULK) >= BULK then
      headers:remove("content-length")
      rename_bulk(handle)
    else
      rename(handle)
    end
  end
end
