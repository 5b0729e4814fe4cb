-- What is asked of an endpoint that somebody else runs and pays for: nothing but its model, by the name that it knows,
-- and every stream with its usage, which limits are counted by.
-- What comes before this: NAMES, those that clients may use; NAME, the endpoint's own.
-- A body that could be read in two ways is refused: the endpoint might read it the other way.

local WATCHED = { model = true, stream = true, stream_options = true }
local SAYS = { ["true"] = true, ["false"] = true, null = true } -- some endpoints take 1 or "yes" for true, too
local STREAMS = { ["/v1/chat/completions"] = true, ["/v1/completions"] = true }

-- Where in the text the values of the outermost object are: name to first and last byte; and where the object begins.
local function fields(text)
  local begin = text:match("^%s*(){")
  if not begin then return nil end
  local found, depth, at = {}, 1, begin + 1
  local key, first
  while true do
    local here = text:find('["%[%]{},:]', at)
    if not here then return nil end
    local sign = text:sub(here, here)
    at = here + 1
    if sign == '"' then
      repeat
        local stop = text:find('["\\]', at)
        if not stop then return nil end
        sign = text:sub(stop, stop)
        at = stop + (sign == "\\" and 2 or 1)
      until sign == '"'
      if depth == 1 and not first then
        if key then return nil end
        key = text:sub(here + 1, at - 2)
        if key:find("\\", 1, true) or (WATCHED[key:lower()] and not WATCHED[key]) then return nil end
      end
    elseif sign == "{" or sign == "[" then
      depth = depth + 1
    elseif sign == ":" then
      if depth == 1 then
        if first or not key then return nil end
        first = at
      end
    else
      if sign ~= "," then depth = depth - 1 end
      if depth == 0 or (depth == 1 and sign == ",") then
        if key then
          if not first or found[key] then return nil end
          found[key] = { first, here - 1 }
        end
        key, first = nil, nil
      end
      if depth == 0 then
        if not text:find("^%s*$", at) then return nil end
        return found, begin
      end
    end
  end
end

local function refuse(handle, status, kind, code, message)
  local body = string.format(
    '{"error": {"message": "%s", "type": "%s", "param": null, "code": "%s"}}', message, kind, code)
  handle:respond({ [":status"] = status, ["content-type"] = "application/json" }, body)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = (headers:get(":path") or ""):match("^[^?]*")
  if headers:get(":method") ~= "POST" then return end
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()) or ""
  local found, begin = fields(text)
  if not found then
    local said = "The body is no JSON object, or one that can be read in two ways."
    return refuse(handle, "400", "invalid_request_error", "invalid_json", said)
  end
  local function value(name)
    local place = found[name]
    return place and text:sub(place[1], place[2]):match("^%s*(.-)%s*$")
  end
  local model = value("model")
  if model and not NAMES[model:match('^"([^"\\]*)"$') or ""] then
    return refuse(handle, "404", "invalid_request_error", "model_not_found", "There is no such model here.")
  end
  local stream = value("stream")
  if stream and not SAYS[stream] then
    return refuse(handle, "400", "invalid_request_error", "invalid_stream", "stream must be true or false.")
  end
  local changes = { model = '"' .. NAME .. '"' }
  if STREAMS[path] and stream == "true" then changes.stream_options = '{"include_usage": true}' end
  local places, added = {}, ""
  for name, to in pairs(changes) do
    if found[name] then
      places[#places + 1] = { found[name][1], found[name][2], to }
    else
      added = added .. '"' .. name .. '": ' .. to .. (next(found) and ", " or "")
    end
  end
  table.sort(places, function(one, other) return one[1] > other[1] end)
  for _, place in ipairs(places) do
    text = text:sub(1, place[1] - 1) .. " " .. place[3] .. text:sub(place[2] + 1)
  end
  text = text:sub(1, begin) .. added .. text:sub(begin + 1)
  headers:replace("content-length", tostring(body:setBytes(text)))
end
