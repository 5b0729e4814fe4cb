"""Hosts in lower case, before Kuadrant looks at them, and no word of clients to Envoy's router.

For Envoy, SIMULATOR.maas.local is simulator.maas.local. Kuadrant's filter looks its policies up by the host letter by
letter until 1.5.2 at least (Kuadrant/wasm-shim pull request 405), and lets a request pass for which it finds none: who
writes a host in capitals would need no key, and nobody would count. So the gateway writes it in lower case first, as
Istio advises for its own policies (GHSA-7774-7vr3-cc8j). Kuadrant's filter stands just before the router; what is
inserted first stands before it, whichever comes earlier.

Envoy's router obeys a few headers, and lets them stand in requests from addresses that it holds for its own network:
one request of a client in there would be tried ten times at a model, and counted once.
"""

from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, Mesh, Wanted

NAME = "maas-host-case"
_TO_ROUTERS = (
    *("x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-hedge-on-per-try-timeout"),
    *("x-envoy-retriable-header-names", "x-envoy-retriable-status-codes", "x-envoy-upstream-stream-duration-ms"),
    *("x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-alt-stat-name"),
    *("x-envoy-upstream-rq-timeout-alt-response",),
)
LUA = f"""\
local to_routers = {{{", ".join(f'"{each}"' for each in _TO_ROUTERS)}}}
function envoy_on_request(handle)
  local headers = handle:headers()
  local host = headers:get(":authority")
  if host and host ~= host:lower() then headers:replace(":authority", host:lower()) end
  for _, name in ipairs(to_routers) do headers:remove(name) end
end
"""
_MANAGER = "envoy.filters.network.http_connection_manager"
_TYPE = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"


def envoy_filter(wanted: Wanted) -> Body:
    config = {"@type": _TYPE, "default_source_code": {"inline_string": LUA}}
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "GATEWAY", "listener": {"filterChain": {"filter": {"name": _MANAGER}}}},
        "patch": {"operation": "INSERT_FIRST", "value": {"name": NAME, "typed_config": config}},
    }
    spec = {**_of_gateway(wanted), "configPatches": [patch]}
    return made("networking.istio.io/v1alpha3", "EnvoyFilter", NAME, wanted.namespace, spec=spec)


def _of_gateway(wanted: Wanted) -> Body:
    """Istio can be told to choose pods of gateways by no labels; Service Mesh 2 knows nothing else."""
    if wanted.site.mesh is Mesh.service_mesh_2:
        return {"workloadSelector": {"labels": {"gateway.networking.k8s.io/gateway-name": GATEWAY}}}
    return {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY}]}
