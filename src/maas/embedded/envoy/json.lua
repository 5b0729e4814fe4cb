-- Enough of JSON to find the members of an object without making anything of the rest. For scripts that follow this.

local QUOTE, BACKSLASH, OPEN_BRACKET, OPEN_BRACE = 34, 92, 91, 123

local function after_string(text, at)
  local slashes
  repeat
    at = text:find('"', at + 1, true)
    if at == nil then return nil end
    slashes = at - 1
    while text:byte(slashes) == BACKSLASH do slashes = slashes - 1 end
  until (at - slashes) % 2 == 1
  return at + 1
end

local function after_value(text, at)
  local first = text:byte(at)
  if first == QUOTE then return after_string(text, at) end
  if first ~= OPEN_BRACE and first ~= OPEN_BRACKET then return text:find("[%s,}%]]", at) end
  local depth = 0
  repeat
    at = text:find('["%[%]{}]', at)
    if at == nil then return nil end
    local mark = text:byte(at)
    if mark == QUOTE then
      at = after_string(text, at)
      if at == nil then return nil end
    else
      depth = depth + ((mark == OPEN_BRACE or mark == OPEN_BRACKET) and 1 or -1)
      at = at + 1
    end
  until depth == 0
  return at
end

-- where the value of `key` begins in the object that begins at `at`, or nil
local function member(text, at, key)
  if at == nil or text:byte(at) ~= OPEN_BRACE then return nil end
  at = at + 1
  while true do
    local name = text:match('^[%s,]*()"', at)
    local name_end = name and after_string(text, name)
    local value = name_end and text:match("^%s*:%s*()", name_end)
    if value == nil then return nil end
    if text:sub(name + 1, name_end - 2) == key then return value end
    at = after_value(text, value)
    if at == nil then return nil end
  end
end

-- \u006d may stand for m; what else can be escaped is in no key that anybody looks for
local function unescaped(key)
  return key:find("\\", 1, true) and key:gsub("\\(.)(%x?%x?%x?%x?)", function(kind, hex)
    local code = kind == "u" and #hex == 4 and tonumber(hex, 16)
    return code and code < 128 and string.char(code) or nil
  end) or key
end

-- calls visit(key, first, stop) for each member of the object at `at`: its value's first byte, and the one behind its last.
-- Returns where the object ends, or nil if it does not.
local function each_member(text, at, visit)
  at = at + 1
  while true do
    local name = text:match('^[%s,]*()"', at)
    if name == nil then return text:match("^%s*}()", at) end
    local name_end = after_string(text, name)
    local value = name_end and text:match("^%s*:%s*()", name_end)
    local stop = value and after_value(text, value)
    if stop == nil then return nil end
    visit(unescaped(text:sub(name + 1, name_end - 2)), value, stop)
    at = stop
  end
end

-- calls visit(first) for each element of the array at `at`, which is known to end
local function each_element(text, at, visit)
  at = at + 1
  while at do
    local first = text:match("^[%s,]*()[^%s,%]]", at)
    if first == nil then return end
    visit(first)
    at = after_value(text, first)
  end
end
