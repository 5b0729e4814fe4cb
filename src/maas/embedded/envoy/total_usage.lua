-- Anthropic's usage has no total: adds up what the transform filter, which ran before, has put into the headers.

function envoy_on_response(handle)
  local headers = handle:headers()
  local input = tonumber(headers:get("x-odhu-usage-input-tokens") or "")
  local output = tonumber(headers:get("x-odhu-usage-output-tokens") or "")
  if input and output then
    headers:replace("x-odhu-usage-total-tokens", string.format("%d", input + output))
  end
end
