"""Acceptance 1: whatever is wanted, the API server takes every object as it is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
import yaml

from maas.cluster import rendering
from maas.cluster.objects import Object, items, mapping, name, namespace
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import Target, Wanted
from tests.kubernetes.resources.conftest import Server
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, site, wanted

_WEIGHTS = ("org/model", "hf://org/model", "pvc://claim/some/path", "s3://bucket/path", "oci://example.com/image:1")
_MANY = (
    'simulator: {runtime: simulator, aliases: [sim, "1st"], options: {time-to-first-token: 100ms}}',
    *(f"model{at}: {{runtime: vllm, weights: {place!r}}}" for at, place in enumerate(_WEIGHTS)),
    *(f"s{at}.x_y: {{runtime: simulator}}" for at in range(20)),
    f"{'long' * 15}: {{runtime: simulator}}",
    "elsewhere: {runtime: external, url: https://api.example.com/openai/v1, api_key_file: /etc/key}",
    "beside: {runtime: external, url: 'http://vllm.other:8000'}",
)


@cache
def _of(wish: str) -> str:
    """As JSON, since tests change what they get."""
    return json.dumps(_rendered(_WISHES[wish]))


def _rendered(wish: Wanted) -> list[Object]:
    """The objects of the rendered files, as kustomize reads them: by the lists that are in each folder."""
    files = rendering.rendered(wish)
    paths = [
        f"{folder}/{path}"
        for folder in _resources(files["kustomization.yaml"])
        for path in _resources(files[f"{folder}/kustomization.yaml"])
    ]
    assert set(paths) == {path for path in files if "/" in path and not _is_apart(path)}
    return [yaml.safe_load(files[path]) for path in paths]


def _resources(kustomization: str) -> list[str]:
    found = yaml.safe_load(kustomization)["resources"]
    assert isinstance(found, list)
    return found


def _is_apart(path: str) -> bool:
    return path.startswith("charts/") or path.endswith("/kustomization.yaml")


def _wishes() -> Iterator[tuple[str, Wanted]]:
    for target in Target:
        yield f"{target}-simulator", wanted(on=replace(site(target), pod_monitors=True))
        for gpu in ("t4", "a100-80", "v100"):
            yield f"{target}-qwen3-{gpu}", wanted(SIMULATOR, QWEN3, on=site(target, gpu))
        yield f"{target}-many", wanted(*_MANY, on=site(target, "a100-80", domain="models.example.com"))
        yield f"{target}-with-gpu-operator", wanted(QWEN3, on=site(target, "t4"), gpu_operator=True)
        yield f"{target}-tokens-only", wanted(on=site(target), tokens_only=True, metrics=False)


_WISHES = dict(_wishes())


@pytest.mark.parametrize("wish", _WISHES)
def test_every_object_is_taken(server: Server, wish: str) -> None:
    found = json.loads(_of(wish))
    assert len(found) > 20
    for each in found:
        if each["kind"] == "Namespace" and name(each) != "llm":  # that one is the fixture's
            server.apply(each).raise_for_status()
    assert [refusal for each in found if (refusal := server.refusal(each))] == []


@pytest.mark.parametrize("wish", _WISHES)
def test_no_object_is_there_twice(wish: str) -> None:
    """kustomize refuses that."""
    ids = [(str(each["apiVersion"]), str(each["kind"]), namespace(each), name(each)) for each in json.loads(_of(wish))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("wish", _WISHES)
def test_pods_keep_to_the_restricted_standard(server: Server, wish: str) -> None:
    """The namespace of this server enforces it, and the server knows better than we do what it asks for."""
    found = [each for each in json.loads(_of(wish)) if each["kind"] == "InferenceService"]
    assert found
    assert [refusal for each in found if (refusal := server.refusal(_pod(each)))] == []


def test_a_pod_without_these_is_refused(server: Server) -> None:
    """So the test before means something."""
    (simulator,) = (each for each in _rendered(wanted()) if each["kind"] == "InferenceService")
    pod = _pod(simulator)
    for container in pod["spec"]["containers"]:
        container["securityContext"] = {**container["securityContext"], "allowPrivilegeEscalation": True}
    assert "allowPrivilegeEscalation" in server.refusal(pod)


def _pod(model: Object) -> Body:
    """As KServe makes it: the predictor's fields but for its own."""
    own = ("minReplicas", "maxReplicas", "deploymentStrategy")
    predictor = mapping(model, "spec", "predictor")
    spec = {key: value for key, value in predictor.items() if key not in own}
    spec["containers"] = [dict(each) for each in items(predictor, "containers")]
    return made("v1", "Pod", "some-pod", "llm", spec=spec)
