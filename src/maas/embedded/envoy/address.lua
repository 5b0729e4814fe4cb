-- What a request to a server that somebody else runs needs: that server's key, never another's, and its path.
-- What comes before this: MARK, the header that says which of several servers it is; ONLY, the server if there is one;
-- BASES and KEYS, by server. A try that failed has left its own path and key behind.

local STATE = "maas.upstream"

function envoy_on_request(handle)
  local headers = handle:headers()
  local name = ONLY or headers:get(MARK) or ""
  headers:remove(MARK)
  headers:remove("authorization")
  if KEYS[name] then headers:add("authorization", "Bearer " .. KEYS[name]) end
  local asked = headers:get(":path"):match("^[^?]*(/v1/.*)$")
  if asked == nil then return end
  if next(BASES) then headers:replace(":path", (BASES[name] or "") .. asked) end
  local metadata = handle:streamInfo():dynamicMetadata()
  if asked:find("^/v1/embeddings") then metadata:set(STATE, "bulk", true) end
  if asked:find("^/v1/messages") then metadata:set(STATE, "messages", true) end
end
