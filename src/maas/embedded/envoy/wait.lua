-- Holds a request back until its model has loaded: asks the control plane, which answers when it has, or when the
-- patience that the model's description grants has run out. Admission has let the request in already, so whoever waits
-- holds a reservation; who hangs up meanwhile pays nothing, which is what the counts of nothing say to the access log.
-- ext_authz could not wait: its one timeout is for all requests, and a dead control plane must be noticed in two seconds.

local UNTOLD = '"error":{"message":"This model is loading. Try again in 5s.","type":"api_error","param":null,'
  .. '"code":"model_loading"}}'

local function wait(handle, seconds)
  local headers = handle:headers()
  local cluster, path = headers:get("x-maas-cluster"), headers:get(":path")
  local anthropic = path:find("/v1/messages", 1, true) ~= nil
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("maas", "prompt", 0)
  metadata:set("maas", "completion", 0)
  local answer, text = handle:httpCall("control", {
    [":method"] = "GET", [":path"] = "/loading/" .. cluster, [":authority"] = "control", ["x-maas-wait"] = seconds,
    ["x-maas-asked"] = path:match("^[^?]*"),
  }, nil, (tonumber(seconds) + 5) * 1000)
  if answer[":status"] ~= "204" then
    local told = answer["retry-after"]  -- or the control plane is away: then the words are Envoy's
    handle:respond({ [":status"] = "503", ["content-type"] = "application/json", ["retry-after"] = told or "5" },
                   told and text or (anthropic and '{"type":"error",' or "{") .. UNTOLD)
    return
  end
  metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("maas", "prompt", "")
  metadata:set("maas", "completion", "")
end

local amend = envoy_on_request

-- the body is written first: after waiting for an answer, a script can't have it any more
function envoy_on_request(handle)
  if amend then amend(handle) end
  wait(handle, handle:headers():get("x-maas-wait"))
end
