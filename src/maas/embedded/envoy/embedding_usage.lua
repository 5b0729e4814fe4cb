-- The usage of an answer to /v1/embeddings, into its headers. Such an answer is megabytes of numbers: parsing 20 MB of
-- them, as the transform filter does for other answers, stops every stream of this thread for half a second.
-- Looking for the key is safe here only: no text of a client or of a model is in this answer but inside of strings,
-- where quotes are escaped.

local NEAR = 4096

local function find_usage(text)
  local usage = text:match('"usage"%s*:%s*(%b{})')
  if usage == nil then return nil end
  return usage:match('"prompt_tokens"%s*:%s*(%d+)'), usage:match('"total_tokens"%s*:%s*(%d+)')
end

-- usage comes last at OpenAI and vLLM, before the data at llama.cpp
local function search(body, length)
  local near = math.min(NEAR, length)
  local prompt, total = find_usage(body:getBytes(length - near, near))
  if prompt == nil then prompt, total = find_usage(body:getBytes(0, near)) end
  if prompt == nil and length > near then prompt, total = find_usage(body:getBytes(0, length)) end
  return prompt, total
end

function envoy_on_response(handle)
  local content_type = handle:headers():get("content-type") or ""
  if content_type:find("application/json", 1, true) == nil then return end
  local body = handle:body()
  if body == nil then return end
  local length = body:length()
  local prompt, total = search(body, length)
  local headers = handle:headers()  -- once more: what was got before waiting for the body must not be used after it
  headers:replace("content-length", tostring(length))  -- disguise.lua writes pieces, and Envoy that of the last one
  if prompt == nil then return end
  headers:replace("x-odhu-usage-input-tokens", prompt)
  headers:replace("x-odhu-usage-output-tokens", "0")
  headers:replace("x-odhu-usage-total-tokens", total or prompt)
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("maas", "prompt", tonumber(prompt))
  metadata:set("maas", "completion", 0)
end
