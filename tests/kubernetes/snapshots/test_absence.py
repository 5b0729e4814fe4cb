"""What is not in a snapshot: absent from the cluster, or only not exported."""

from pathlib import Path

import pytest

from maas.cluster.facts import snapshot
from maas.cluster.facts.model import Cause, Facts, NotRead, Unread
from maas.cluster.kinds import (
    ALL,
    CLUSTER_OPERATOR,
    CRD,
    GATEWAY,
    INFERENCE_SERVICE,
    KUADRANT,
    NAMESPACE,
    NODE,
    POD,
    ROUTE,
    SECRET,
    SERVICE,
)
from tests.kubernetes.snapshots import trees

_GATEWAYS = trees.crd("gateways", "gateway.networking.k8s.io", "v1", "v1beta1")
_CRDS = trees.as_yaml(trees.list_of(_GATEWAYS, trees.crd("kuadrants", "kuadrant.io", "v1beta1")))


def _read(folder: Path, **files: bytes) -> Facts:
    return snapshot.read(trees.in_folder(folder, {name.replace("_", "."): data for name, data in files.items()}))


def _why(facts: Facts, key: str) -> str:
    found = facts.lists[key]
    assert isinstance(found, Unread)
    assert found.cause is Cause.not_exported
    return found.reason


def test_what_was_not_exported_is_unknown_whatever_it_is(tmp_path: Path) -> None:
    facts = _read(tmp_path, nodes_yaml=trees.as_yaml(trees.list_of(trees.NODE)))
    assert len(facts.all(NODE)) == 1
    assert {kind.key for kind in ALL if isinstance(facts.lists.get(kind.key), Unread)} == {k.key for k in ALL} - {
        "nodes"
    }
    assert _why(facts, "pods") == "the snapshot holds no pods"
    with pytest.raises(NotRead, match="which APIs are served"):
        facts.serves(KUADRANT)
    assert facts.serves(NODE)


@pytest.mark.parametrize("name", ["pods.yaml", "po/Pods.yaml", "pod.yaml", "core/pods.json"])
def test_an_empty_list_says_that_there_are_none(name: str, tmp_path: Path) -> None:
    """kubectl prints an empty List of no type: its file's name tells of what."""
    facts = snapshot.read(
        trees.in_folder(tmp_path, {"n.yaml": trees.as_yaml(trees.NODE), name: trees.as_json(trees.list_of())})
    )
    assert facts.lists["pods"] == []
    assert isinstance(facts.lists["services"], Unread)


def test_an_empty_list_of_a_name_that_two_groups_have_needs_the_group(tmp_path: Path) -> None:
    """Ingress is Kubernetes' and OpenShift's; Gateway is Istio's too, but that is not read."""
    tree = {
        "config.openshift.io/ingresses.yaml": trees.as_yaml(
            {"kind": "IngressList", "apiVersion": "config.openshift.io/v1", "items": []}
        )
    }
    assert (
        snapshot.read(trees.in_folder(tmp_path, tree | {"n.yaml": trees.as_yaml(trees.NODE)})).lists[
            "ingresses.config.openshift.io"
        ]
        == []
    )


def test_what_no_crd_stands_for_is_not_served(tmp_path: Path) -> None:
    facts = _read(tmp_path, crds_yaml=_CRDS)
    assert INFERENCE_SERVICE.key not in facts.lists
    assert not facts.all(INFERENCE_SERVICE)
    assert not facts.serves(INFERENCE_SERVICE)
    assert facts.served_versions(GATEWAY) == ["v1", "v1beta1"]
    assert _why(facts, KUADRANT.key) == "the snapshot holds no kuadrants"
    assert _why(facts, POD.key) == "the snapshot holds no pods"
    assert facts.serves(POD)
    assert not facts.serves(ROUTE)


def test_crds_are_kept_as_little_as_a_live_cluster_gives_them(tmp_path: Path) -> None:
    facts = _read(tmp_path, crds_yaml=_CRDS)
    assert len(facts.all(CRD)) == 2
    assert all(set(crd) <= {"apiVersion", "kind", "metadata"} for crd in facts.all(CRD))


def test_openshift_serves_routes_without_a_crd(tmp_path: Path) -> None:
    operators = trees.crd("clusteroperators", "config.openshift.io", "v1")
    facts = _read(tmp_path, crds_yaml=trees.as_yaml(trees.list_of(operators)))
    assert facts.serves(CLUSTER_OPERATOR)
    assert facts.serves(ROUTE)
    assert isinstance(facts.lists[ROUTE.key], Unread)


def test_some_crds_are_not_all(tmp_path: Path) -> None:
    """One that was exported by its name; and a list that lacks the CRD of an object that is there."""
    single = _read(tmp_path / "a", crd_yaml=trees.as_yaml(_GATEWAYS))
    lacking = _read(
        tmp_path / "b",
        crds_yaml=trees.as_yaml(trees.list_of(trees.crd("x", "y.io", "v1"))),
        g_yaml=trees.as_yaml(trees.GATEWAY),
    )
    for facts in (single, lacking):
        assert isinstance(facts.apis, Unread)
        assert isinstance(facts.lists[INFERENCE_SERVICE.key], Unread)


def test_apis_json_says_what_is_served(tmp_path: Path) -> None:
    facts = _read(tmp_path, apis_json=b'{"v1": ["pods", "nodes"], "kuadrant.io/v1beta1": ["kuadrants"]}')
    assert facts.served_versions(KUADRANT) == ["v1beta1"]
    assert not facts.serves(GATEWAY)
    assert GATEWAY.key not in facts.lists
    assert isinstance(facts.lists[POD.key], Unread)


def test_of_an_inspected_namespace_nothing_follows_for_others(tmp_path: Path) -> None:
    """What is not found may be in a namespace that nobody inspected."""
    empty = trees.as_yaml({"apiVersion": "v1", "kind": "ServiceList", "items": []})
    tree = trees.inspected(trees.POD, trees.NODE) | {"namespaces/llm/core/services.yaml": empty}
    facts = snapshot.read(trees.in_folder(tmp_path, tree))
    assert [len(facts.all(kind)) for kind in (POD, NODE)] == [1, 1]
    assert facts.partial == {"pods": "the snapshot holds pods of the namespace llm only"}
    assert facts.one(POD, "vllm-0", "llm") is not None
    with pytest.raises(NotRead, match="nothing is known of other"):
        facts.one(POD, "other", "kuadrant-system")
    assert facts.one(NODE, "other") is None
    assert _why(facts, SERVICE.key) == "the snapshot holds services of the namespace llm only, and there are none"
    assert _why(facts, SECRET.key) == "the snapshot holds no secrets"


def test_every_namespace_inspected_is_all_of_them(tmp_path: Path) -> None:
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "llm"}}]
    tree = trees.inspected(trees.POD) | {"namespaces.yaml": trees.as_yaml(trees.list_of(*namespaces))}
    facts = snapshot.read(trees.in_folder(tmp_path, tree))
    assert not facts.partial
    assert facts.one(POD, "other", "llm") is None
    assert facts.one(NAMESPACE, "other") is None


def test_a_single_object_is_no_list_of_all(tmp_path: Path) -> None:
    facts = _read(tmp_path, gateway_yaml=trees.as_yaml(trees.GATEWAY))
    assert facts.partial == {GATEWAY.key: "the snapshot holds single gateways, no list of all"}
    with pytest.raises(NotRead):
        facts.one(GATEWAY, "other", "llm")


def test_a_mixed_list_is_a_list_of_each_of_its_kinds(tmp_path: Path) -> None:
    """kubectl get pods,nodes -A -o yaml"""
    facts = _read(tmp_path, all_yaml=trees.as_yaml(trees.list_of(trees.POD, trees.NODE)))
    assert not facts.partial
    assert facts.one(POD, "other", "llm") is None


def test_values_that_must_gather_has_elided_are_no_values(tmp_path: Path) -> None:
    """It writes how long each value was: two keys of equal length are not two equal keys."""
    from tests.kubernetes.snapshots.test_no_secret_is_written import _secret

    elided = [_secret(name, data={"api_key": "NDMgYnl0ZXMgbG9uZw=="}) for name in ("a", "b")]
    facts = snapshot.read(trees.in_folder(tmp_path, trees.must_gather(*elided)))
    assert [each["data"] for each in facts.all(SECRET)] == [{"api_key": "[redacted]"}] * 2
