"""Every known issue on a real API server: found, tried without a trace, mended, and gone on the next look."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.objects import items, name, namespace, text
from maas.readiness.findings import Status
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.living import live
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.definitions import put
from tests.kubernetes.doctor.standing_in import standing_in
from tests.kubernetes.known_issues.planted import (
    KUBERNETES,
    OF_MODELS,
    OF_THE_PLATFORM,
    OPENSHIFT,
    Fault,
    planted,
)

pytestmark = pytest.mark.timeout(900)
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_BY_THE_SERVER_ITSELF = {"leases", "events"}
OF = {"kubernetes": (KUBERNETES, OF_MODELS), "openshift": (OPENSHIFT, OF_THE_PLATFORM)}
MENDED = [fault for fault in (*OF_MODELS, *OF_THE_PLATFORM) if fault.mends]


@dataclass(frozen=True)
class Ran:
    code: int
    output: str


@dataclass(frozen=True)
class Story:
    """What `maas doctor` said and did, in this order."""

    found: Ran
    tried: Ran
    nobody: Ran
    denied: Ran  # somebody who may only read
    versions: tuple[dict[str, str], ...]  # before and after what must change nothing
    mended: Ran
    left: Ran


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {}


def story(stories: dict[str, Story], of: str) -> Story:
    """Once for each cluster: all its issues are in it together."""
    if of not in stories:
        base, faults = OF[of]
        stories[of] = _told(planted(base(), *faults))
    return stories[of]


def _told(scenario: Scenario) -> Story:
    with live(scenario) as cluster:
        _aged(cluster)
        before = versions(cluster)
        found = doctor(cluster, "-o", "json")
        tried = doctor(cluster, "--fix", "--dry-run")
        nobody = doctor(cluster, "--fix")
        cluster.allow("eve", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]})
        before |= {key: value for key, value in versions(cluster).items() if "test-eve" in key}
        denied = doctor(cluster, "--fix", "--yes", user="eve")
        after = versions(cluster)
        with standing_in(cluster):
            mended = doctor(cluster, "--fix", "--yes", "--wait", "20s")
            left = doctor(cluster, "-o", "json")
        return Story(found, tried, nobody, denied, (before, after), mended, left)


def _aged(cluster: Cluster) -> None:
    """Models of an hour ago: a controller that says nothing of a new one may yet do. No API takes such a date."""
    with cluster.client() as client:
        for model in items(client.get("/apis/serving.kserve.io/v1beta1/inferenceservices").json(), "items"):
            metadata = {**model["metadata"], "creationTimestamp": "2026-01-01T00:00:00Z"}
            key = f"/registry/serving.kserve.io/inferenceservices/{namespace(model)}/{name(model)}"
            put(Path(cluster.etcd), [(key, {**model, "metadata": metadata})])


def doctor(cluster: Cluster, *arguments: str, user: str = "admin") -> Ran:
    command = [sys.executable, "-m", "maas.cli.main", "doctor", "--only", "MAAS-4", *arguments]
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig(user)), "COLUMNS": "80"}
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL
    )
    assert "Traceback" not in ran.stderr + ran.stdout and ran.returncode in (0, 3), ran.stdout + ran.stderr
    return Ran(ran.returncode, ran.stdout + ran.stderr)


def codes(ran: Ran) -> set[str]:
    document = json.loads(ran.output)
    return {each["code"] for cause in document["causes"] for each in (cause, *cause["consequences"])}


def versions(cluster: Cluster) -> dict[str, str]:
    """The resourceVersion of every object there is, but for what the API server itself writes all the time."""
    return {
        f"{prefix}/{plural} {namespace(each)}/{name(each)}": text(each, "metadata", "resourceVersion")
        for prefix, plural, each in _everything(cluster)
    }


def _everything(cluster: Cluster) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    with cluster.client() as client:
        for root in ("/api", "/apis"):
            for group in items(client.get(root, headers={"Accept": _DISCOVERY}).json(), "items"):
                version = items(group, "versions")[0]
                named = text(group, "metadata", "name")
                prefix = f"/apis/{named}/{version['version']}" if named else f"/api/{version['version']}"
                for resource in items(version, "resources"):
                    plural = text(resource, "resource")
                    if "list" in resource.get("verbs", []) and plural not in _BY_THE_SERVER_ITSELF:
                        for each in items(client.get(f"{prefix}/{plural}").json(), "items"):
                            yield prefix, plural, each


def of(fault: Fault) -> str:
    return "kubernetes" if fault in OF_MODELS else "openshift"


@pytest.mark.parametrize("fault", (*OF_MODELS, *OF_THE_PLATFORM), ids=lambda fault: fault.code)
def test_it_is_recognised(fault: Fault, stories: dict[str, Story]) -> None:
    told = story(stories, of(fault))
    assert told.found.code == 3
    assert fault.code in codes(told.found)


@pytest.mark.parametrize("of", OF)
def test_trying_asking_nobody_and_being_denied_change_nothing(of: str, stories: dict[str, Story]) -> None:
    told = story(stories, of)
    before, after = told.versions
    assert len(before) > 100
    assert before == after
    assert told.tried.code == told.nobody.code == 3
    assert "nothing was changed (--dry-run)" in told.tried.output
    assert "Nobody is here to be asked" in told.nobody.output
    assert "was refused, so nothing is done" in " ".join(told.denied.output.split())
    assert "√ done:" not in told.denied.output and told.denied.code == 3


@pytest.mark.parametrize("fault", MENDED, ids=lambda fault: fault.code)
def test_the_server_accepts_its_remedy_as_a_dry_run(fault: Fault, stories: dict[str, Story]) -> None:
    _, _, after = story(stories, of(fault)).tried.output.partition(f": {fault.code}\n")
    assert "√ the server accepts the " in after.partition("\nremedy ")[0], after


@pytest.mark.parametrize("fault", MENDED, ids=lambda fault: fault.code)
def test_it_is_mended_and_gone(fault: Fault, stories: dict[str, Story]) -> None:
    told = story(stories, of(fault))
    assert f"√ {fault.code} is gone" in told.mended.output, told.mended.output
    assert fault.code not in codes(told.left)


@pytest.mark.parametrize("of", OF)
def test_only_what_nobody_can_decide_for_others_is_left(of: str, stories: dict[str, Story]) -> None:
    told = story(stories, of)
    left = [fault for fault in OF[of][1] if not fault.mends]
    assert codes(told.left) == {fault.code for fault in left}
    code = 3 if any(fault.status is Status.failed for fault in left) else 0  # a warning is no failure
    assert (told.mended.code, told.left.code) == (code, code)
