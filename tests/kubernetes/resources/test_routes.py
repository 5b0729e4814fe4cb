"""Where requests are led: judged by what a gateway makes of the routes, for every name that a client may use."""

from collections.abc import Sequence

import pytest

from maas.cluster.objects import Object, items, mapping, name, text, texts
from maas.cluster.plan.model import Stage
from maas.cluster.resources import edge, gateway, names, routes, services
from maas.cluster.wanted import Target, Wanted
from maas.domain.errors import InvalidInput
from tests.kubernetes.resources.wishes import SIMULATOR, site, wanted

CHAT = "/v1/chat/completions"


def led(found: Sequence[Object], host: str, path: str) -> tuple[str, str] | None:
    """The Service, and the path that it is asked for; Gateway API's precedence: the longest match."""
    best: tuple[int, str, str] | None = None
    for route in found:
        if host not in texts(route, "spec", "hostnames"):
            continue
        for rule in items(route, "spec", "rules"):
            for match in items(rule, "matches"):
                value, exact = text(match, "path", "value"), text(match, "path", "type") == "Exact"
                hit = path == value if exact else path == value or path.startswith(f"{value}/")
                if hit and (best is None or len(value) > best[0]):
                    best = len(value), text(items(rule, "backendRefs")[0], "name"), _rewritten(rule, path, value)
    return best and best[1:]


def _rewritten(rule: Object, path: str, matched: str) -> str:
    for each in items(rule, "filters"):
        if each["type"] == "URLRewrite":
            return text(each, "urlRewrite", "path", "replacePrefixMatch") + path.removeprefix(matched)
    return path


_TWO = (
    "simulator: {runtime: simulator, aliases: [sim]}",
    "qwen3.5_x: {runtime: vllm, weights: Qwen/Qwen3-0.6B}",
)


@pytest.mark.parametrize(
    "host,path,service,asked",
    [
        ("simulator.maas.local", CHAT, "simulator-gateway-svc", CHAT),
        ("sim.maas.local", CHAT, "simulator-gateway-svc", CHAT),
        ("qwen3-5-x.maas.local", "/v1/models/qwen3.5_x", "qwen3-5-x-gateway-svc", "/v1/models/qwen3.5_x"),
        ("maas.maas.local", f"/simulator{CHAT}", "simulator-gateway-svc", CHAT),
        ("maas.maas.local", f"/sim{CHAT}", "simulator-gateway-svc", CHAT),
        ("maas.maas.local", "/qwen3.5_x/v1/embeddings", "qwen3-5-x-gateway-svc", "/v1/embeddings"),
        ("maas.maas.local", "/qwen3.5_x/v1/models", "qwen3-5-x-gateway-svc", "/v1/models"),
    ],
)
def test_a_model_is_found_by_each_of_its_names(host: str, path: str, service: str, asked: str) -> None:
    assert led(routes.http_routes(wanted(*_TWO)), host, path) == (service, asked)


@pytest.mark.parametrize(
    "host,path",
    [
        ("simulator.maas.local", "/admin/config"),
        ("simulator.maas.local", "/v1/messages"),
        ("simulator.maas.local", "/tokenize"),
        ("simulator.maas.local", "/v1/load_lora_adapter"),
        ("simulator.maas.local", f"{CHAT}/render"),
        ("maas.maas.local", CHAT),
        ("maas.maas.local", "/simulator/admin/config"),
        ("maas.maas.local", f"/simulators{CHAT}"),
        ("other.maas.local", CHAT),
    ],
)
def test_what_is_not_metered_leads_nowhere(host: str, path: str) -> None:
    assert led(routes.http_routes(wanted(*_TWO)), host, path) is None


def test_the_shared_host_is_one_route_so_that_its_models_share_a_budget() -> None:
    found = [
        each for each in routes.http_routes(wanted(*_TWO)) if "maas.maas.local" in texts(each, "spec", "hostnames")
    ]
    assert [name(each) for each in found] == ["maas"]


def test_beyond_sixteen_names_there_is_a_second_one() -> None:
    many = [f"m{at}: {{runtime: simulator}}" for at in range(17)]
    found = routes.http_routes(wanted(*many))
    shared = {name(each): len(items(each, "spec", "rules")) for each in found if name(each).startswith("maas")}
    assert shared == {"maas": 16, "maas-2": 1, "maas-to-https": 1}
    assert led(found, "maas.maas.local", f"/m16{CHAT}") and led(found, "maas.maas.local", f"/m9{CHAT}")


@pytest.mark.parametrize("target", Target)
def test_answers_have_time_and_keys_do_not_go_on(target: Target) -> None:
    rules = [
        rule
        for route in routes.http_routes(wanted(on=site(target)))
        for rule in items(route, "spec", "rules")
        if items(rule, "backendRefs")
    ]
    assert rules
    for rule in rules:
        assert text(rule, "timeouts", "request") == "600s"
        removed = [each for f in items(rule, "filters") for each in texts(f, "requestHeaderModifier", "remove")]
        assert {"authorization", "x-api-key", "accept-encoding"} <= set(removed)


def test_over_http_nobody_is_served() -> None:
    """On Kubernetes: every route to a model is on the HTTPS listener, and http is sent there."""
    found = {name(each): each for each in routes.http_routes(wanted())}
    redirect = found.pop("maas-to-https")
    sections = {text(ref, "sectionName") for each in found.values() for ref in items(each, "spec", "parentRefs")}
    assert sections == {"https"}
    (ref,) = items(redirect, "spec", "parentRefs")
    assert text(ref, "sectionName") == "http"
    assert not items(items(redirect, "spec", "rules")[0], "backendRefs")


def test_on_openshift_the_router_ends_tls_and_lets_nobody_in_without() -> None:
    wish = wanted(*_TWO, on=site(Target.openshift, domain="apps.example.com"))
    found = edge.routes(wish, routes.TIMEOUT)
    hosts = {text(each, "spec", "host") for each in found}
    assert hosts == {f"{each}.apps.example.com" for each in ("maas", "simulator", "sim", "qwen3-5-x")}
    assert {host for each in routes.http_routes(wish) for host in texts(each, "spec", "hostnames")} == hosts
    for each in found:
        assert mapping(each, "spec", "tls") == {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
        assert text(each, "metadata", "annotations", "haproxy.router.openshift.io/timeout") == "600s"
        assert text(each, "spec", "to", "name") == "maas-gateway-openshift-default"
    (listener,) = items(gateway.gateway(wish), "spec", "listeners")
    assert (text(listener, "protocol"), listener["port"]) == ("HTTP", 80)
    assert not any("maas-to-https" in name(each) for each in routes.http_routes(wish))


@pytest.mark.parametrize(
    "ingress,stage",
    [
        ([], Stage.waiting),
        ([{"conditions": [{"type": "Admitted", "status": "True"}]}], Stage.done),
        ([{"conditions": [{"type": "Admitted", "status": "False", "reason": "HostAlreadyClaimed"}]}], Stage.hopeless),
        ([{"conditions": [{"type": "Admitted", "status": "False", "reason": "InvalidHost"}]}], Stage.waiting),
    ],
)
def test_a_host_that_others_have_is_not_waited_for(ingress: list[Object], stage: Stage) -> None:
    assert edge.admitted({"status": {"ingress": ingress}}).stage is stage
    assert edge.admitted(None).stage is Stage.waiting


def test_services_choose_the_pods_that_answer() -> None:
    wish = wanted(SIMULATOR, "elsewhere: {runtime: external, url: https://api.example.com}")
    found = {name(each): mapping(each, "spec", "selector") for each in services.services(wish)}
    assert found == {
        "simulator-gateway-svc": {"serving.kserve.io/inferenceservice": "simulator", "component": "predictor"},
        "elsewhere-gateway-svc": {"maas.io/external-model": "elsewhere"},
    }


@pytest.mark.parametrize(
    "called,expected",
    [
        ("simulator", "simulator"),
        ("qwen3-0.6b", "qwen3-0-6b"),
        ("a_b.c", "a-b-c"),
        ("7b", "m-7b"),
        ("a..b", "a-b"),
        ("x" * 63, "x" * 37 + "-"),
    ],
)
def test_names_are_such_as_kubernetes_takes(called: str, expected: str) -> None:
    found = names.object_name(called)
    assert found.startswith(expected)
    assert len(f"isvc.{found}-predictor") <= 63 and found == names.object_name(called)


def test_long_names_are_told_apart() -> None:
    assert names.object_name("x" * 62 + "a") != names.object_name("x" * 62 + "b")


@pytest.mark.parametrize(
    "entries,said",
    [
        (("a.b: {runtime: simulator}", "a-b: {runtime: simulator}"), "a-b and a.b would both be 'a-b'"),
        (("a: {runtime: simulator, aliases: [b_c]}", "b-c: {runtime: simulator}"), "would both be 'b-c'"),
        (("maas: {runtime: simulator}",), "call the model for example maas-model"),
        (("maas-2: {runtime: simulator}",), "call the model for example maas-2-model"),
    ],
)
def test_names_that_would_meet_are_refused(entries: Sequence[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        names.models(wanted(*entries))


def test_more_aliases_than_a_route_has_hosts_are_refused() -> None:
    aliases = ", ".join(f"a{at}" for at in range(16))
    with pytest.raises(InvalidInput, match=r"models\.m\.aliases.*room for 15"):
        names.models(wanted(f"m: {{runtime: simulator, aliases: [{aliases}]}}"))


def test_wishes_are_in_a_stable_order() -> None:
    def order(wish: Wanted) -> list[str]:
        return [model.name for model in names.models(wish)]

    assert order(wanted("b: {runtime: simulator}", "a: {runtime: simulator}")) == ["a", "b"]
