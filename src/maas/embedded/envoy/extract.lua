-- Reads the top level of the request's body, a JSON object, and tells admission what it says, in headers.
-- What comes before this: HEADERS, which has the header for each key that is told, and MARK, BYTES, BAD_FIELD.
--
-- Envoy's transform filter was tried and rejected: it makes objects of the whole body, at 0.3 s for a MiB of `[],`,
-- before anybody knows who sent it; and it reads single quotes and trailing commas, which a model may read in another
-- way. This one passes over each byte once, in loops that LuaJIT compiles. Where admission and a model could still
-- differ about a field, it is refused: a known key twice or in other letters (servers in Go take them for the same),
-- and any key with an escape. What stands deeper is checked for brackets, strings and odd characters only: the model
-- refuses what is wrong in there.

local byte, sub, find, match, lower = string.byte, string.sub, string.find, string.match, string.lower
local QUOTE, COMMA, COLON, BACKSLASH, U = 34, 44, 58, 92, 117
local OPEN_BRACKET, CLOSE_BRACKET, OPEN, CLOSE = 91, 93, 123, 125
local DEEPEST, MOST_KEYS, LONGEST_KEY, LONGEST_SCALAR, LONGEST_TOLD = 200, 1000, 256, 4096, 256
local UNUSABLE = "?"  -- instead of a value of a type that the key cannot have
local KINDS = { model = "string", stream = "boolean", background = "boolean", include_usage = "boolean",
                stream_options = "object", previous_response_id = "presence", conversation = "presence" }
local REPLACED = { model = true, stream_options = true }  -- keys that may have to be written anew: their place is told
local LITERALS = { ["true"] = true, ["false"] = true, ["null"] = true }
local CHARSETS = { ["utf-8"] = true, utf8 = true, ascii = true, ["us-ascii"] = true }

local STRING, ODD = 8, 9
local DEPTH, ESCAPED, HEX = {}, {}, {}  -- by byte. How much deeper it leads, or STRING or ODD
for code = 0, 255 do
  local letter = string.char(code)
  DEPTH[code] = find(letter, "[%w \t\r\n,:.+-]") and 0 or ODD
  ESCAPED[code] = find(letter, '["\\/bfnrt]') ~= nil
  HEX[code] = find(letter, "%x") ~= nil
end
DEPTH[QUOTE], DEPTH[OPEN_BRACKET], DEPTH[OPEN], DEPTH[CLOSE_BRACKET], DEPTH[CLOSE] = STRING, 1, 1, -1, -1

-- the next position that is no white space, and the byte there
local function after_space(text, at)
  local b = byte(text, at)
  while b == 32 or b == 10 or b == 13 or b == 9 do
    at = at + 1
    b = byte(text, at)
  end
  return at, b
end

local function after_escape(text, at)
  local b = byte(text, at + 1)
  if b == nil then return nil end
  if ESCAPED[b] then return at + 2 end
  if b ~= U or at + 5 > #text then return nil end
  for digit = at + 2, at + 5 do
    if not HEX[byte(text, digit)] then return nil end
  end
  return at + 6
end

-- of the string whose opening quote is at `at`
local function after_string(text, at)
  local length = #text
  at = at + 1
  while at <= length do
    local b = byte(text, at)
    if b == QUOTE then return at + 1 end
    if b < 32 then return nil end
    if b == BACKSLASH then
      at = after_escape(text, at)
      if at == nil then return nil end
    else
      at = at + 1
    end
  end
  return nil
end

-- of the object or array that begins at `at`
local function after_nested(text, at)
  local length, depth = #text, 0
  while at <= length do
    local deeper = DEPTH[byte(text, at)]
    if deeper < STRING then
      depth = depth + deeper
      at = at + 1
      if depth == 0 then return at end
      if depth > DEEPEST then return nil end
    else
      at = deeper == STRING and after_string(text, at)
      if not at then return nil end
    end
  end
  return nil
end

local function is_number(token)
  local whole, rest = match(token, "^-?(%d+)(.*)$")
  if whole == nil or (#whole > 1 and byte(whole) == 48) then return false end
  rest = match(rest, "^%.%d+(.*)$") or rest
  return rest == "" or find(rest, "^[eE][+-]?%d+$") ~= nil
end

local function after_scalar(text, at)
  local stop = match(text, "^[%w+.-]+()", at)
  if stop == nil or stop - at > LONGEST_SCALAR then return nil end
  local token = sub(text, at, stop - 1)
  return (LITERALS[token] or is_number(token)) and stop or nil
end

local function after_value(text, at, b)
  if b == QUOTE then return after_string(text, at) end
  if b == OPEN or b == OPEN_BRACKET then return after_nested(text, at) end
  return after_scalar(text, at)
end

-- The key at `at`, whose string ends before `stop`; or nil and what is wrong with it
local function key_at(text, at, stop, known)
  if stop - at > LONGEST_KEY then return nil, "name" end
  local key = sub(text, at + 1, stop - 2)
  if known[key] then return key end
  if find(key, "[^ -~]") or find(key, "\\", 1, true) or known[lower(key)] then return nil, "name" end
  return key
end

-- Of the object at `at`: where the values of known keys begin, where they end, and where it ends itself.
-- Or nil, and "duplicate" or "name", or nothing if it is no JSON.
local function members(text, at, known)
  local first, last, count, b = {}, {}, 0, nil
  at, b = after_space(text, at + 1)
  if b == CLOSE then return first, last, at end
  while true do
    local stop = b == QUOTE and count < MOST_KEYS and after_string(text, at)
    if not stop then return nil end
    local key, wrong = key_at(text, at, stop, known)
    if key == nil then return nil, wrong end
    at, b = after_space(text, stop)
    if b ~= COLON then return nil end
    at, b = after_space(text, at + 1)
    stop = b ~= nil and after_value(text, at, b)
    if not stop then return nil end
    if known[key] then
      if first[key] then return nil, "duplicate" end
      first[key], last[key] = at, stop - 1
    end
    at, b = after_space(text, stop)
    if b == CLOSE then return first, last, at end
    if b ~= COMMA then return nil end
    at, b = after_space(text, at + 1)
    count = count + 1
  end
end

local function as_told(value)
  return #value <= LONGEST_TOLD and not find(value, "[^ -~]") and value or nil
end

-- What is told of the value from `first` to `last`, and "" for null. nil if no header can hold it
local function told(text, first, last, kind)
  local b = byte(text, first)
  if b == QUOTE then
    if kind == "presence" then return "1" end
    if kind == "boolean" or kind == "object" then return UNUSABLE end
    if last - first > 2 * LONGEST_TOLD then return nil end
    local value = sub(text, first + 1, last - 1):gsub("\\/", "/")  -- PHP writes so
    return not find(value, "\\", 1, true) and as_told(value) or nil
  end
  if b == OPEN and kind == "object" then
    return last - first <= LONGEST_TOLD and as_told(sub(text, first, last)) or nil
  end
  if b == OPEN or b == OPEN_BRACKET then return kind == "presence" and "1" or UNUSABLE end
  local value = sub(text, first, last)
  if value == "null" then return "" end
  if kind == "presence" then return "1" end
  if kind == "string" or kind == "object" then return UNUSABLE end
  if kind == "boolean" and value ~= "true" and value ~= "false" then return UNUSABLE end
  if math.abs(tonumber(value) or 0) == math.huge then return nil end
  return as_told(value)
end

local function tell(fields, text, first, last, known)
  for key, at in pairs(first) do
    local value = told(text, at, last[key], KINDS[key])
    if value == nil then return false end
    if sub(text, at, last[key]) ~= "null" then fields[known[key]] = value end
    if REPLACED[key] then fields[known[key] .. "-at"] = at .. "-" .. last[key] end
  end
  return true
end

-- What the headers are to say of this body; or nil, and what is ambiguous about it, if it is JSON at all
function read_body(text)
  local at, b = after_space(text, 1)
  if b ~= OPEN then return nil end
  local first, last, stop = members(text, at, HEADERS)
  if first == nil then return nil, last end
  at, b = after_space(text, stop + 1)
  if b ~= nil then return nil end
  local fields = { [MARK] = "1" }
  if not tell(fields, text, first, last, HEADERS) then return { [MARK] = "1", [BAD_FIELD] = "1" } end
  local options = first.stream_options
  if options and byte(text, options) == OPEN then
    first, last = members(text, options, OPTION_HEADERS)
    if first == nil then return nil, last end
    if not tell(fields, text, first, last, OPTION_HEADERS) then return { [MARK] = "1", [BAD_FIELD] = "1" } end
  end
  return fields
end

local function is_json(headers)
  if headers:get("content-encoding") then return false end
  local content_type = lower(headers:get("content-type") or "")
  local parameters = match(content_type, "^application/json%s*(.*)$")
  if parameters == nil or find(parameters, "^[^;]") then return false end
  local charset = match(parameters, 'charset%s*=%s*"?([^%s;"]*)')
  return charset == nil or CHARSETS[charset] == true
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get(":method") ~= "POST" or not is_json(headers) then return end  -- admission says what is wrong
  local body = handle:body()
  if body == nil then return end
  local length = body:length()
  local fields, ambiguous = read_body(body:getBytes(0, length))
  headers = handle:headers()  -- once more: what was got before waiting for the body must not be used after it
  if fields == nil then
    if ambiguous then headers:add(MARK, ambiguous) end
    return
  end
  for name, value in pairs(fields) do headers:add(name, value) end
  headers:add(BYTES, tostring(length))
end
