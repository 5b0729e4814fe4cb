"""Which channel of which catalog is taken, and that no catalog, however odd, leads to what must not be installed."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.cluster.components import offers, olm
from maas.cluster.components.offers import Wants, chosen
from maas.cluster.components.olm import Package
from maas.cluster.components.pins import operators, pins
from maas.cluster.components.versions import at_least, version
from maas.cluster.facts.packages import PROBE, kept
from maas.cluster.wanted import Mesh, Offer, Serving
from maas.domain.errors import Unavailable
from tests.kubernetes.openshift.shapes import bare, offered, offering, one, steps, subscriptions

_NOW = Wants((1, 33))


def _chosen(package: Package, *catalogs: dict[str, Any], wants: Wants = _NOW) -> tuple[str, str, bool] | None:
    found = chosen(package, list(catalogs), wants)
    return (found.channel, found.csv, found.manual) if found else None


@pytest.mark.parametrize(
    ("package", "channels", "default", "expected"),
    [
        (olm.RHCL, {"stable": "1.4.2"}, "stable", ("stable", "rhcl-operator.v1.4.2", False)),
        (olm.RHCL, {"fast": "1.5.0", "stable": "1.4.1"}, "stable", ("stable", "rhcl-operator.v1.4.1", False)),
        (olm.RHCL, {"fast": "1.5.0", "stable": "1.4.1"}, "fast", ("fast", "rhcl-operator.v1.5.0", False)),
        # The default must not be used, or is too old: the best of the others.
        (olm.RHCL, {"stable": "1.4.0", "stable-1.3": "1.3.2"}, "stable", ("stable-1.3", "rhcl-operator.v1.3.2", False)),
        (olm.RHCL, {"stable": "1.4.0", "fast": "1.5.0"}, "stable", ("fast", "rhcl-operator.v1.5.0", False)),
        (olm.RHCL, {"stable": "1.2.1", "stable-1.4": "1.4.3"}, "stable", ("stable-1.4", "rhcl-operator.v1.4.3", False)),
        (olm.RHCL, {"stable": "1.4.0"}, "stable", None),
        (olm.RHCL, {"stable": "1.2.1"}, "stable", None),
        (olm.RHCL, {}, "stable", None),
        # What OpenShift carries decides, whatever the default is.
        (olm.RHOAI, {"fast-3.x": "3.3.0", "stable": "2.25.0"}, "stable", ("fast-3.x", "rhods-operator.v3.3.0", False)),
        (
            olm.RHOAI,
            {"fast-3.x": "3.3.0", "stable-3.x": "3.2.0", "stable-3.2": "3.2.0"},
            "none",
            ("stable-3.x", "rhods-operator.v3.2.0", False),
        ),
        (olm.SERVICE_MESH_3, {"stable": "2.6.11"}, "stable", None),
        (olm.NFD, {"stable": "4.20.0-202510"}, "", ("stable", "nfd.v4.20.0-202510", False)),
    ],
)
def test_the_channel(
    package: Package, channels: dict[str, str], default: str, expected: tuple[str, str, bool] | None
) -> None:
    assert _chosen(package, offered(package.name, channels, default)) == expected


def test_every_operator_has_a_usual_channel_and_its_pin() -> None:
    for mesh in Mesh:
        for serving in Serving:
            for each in offers.packages(mesh, serving):
                assert operators()[each.name].channel
    assert {each.component for each in operators().values()} - {""} <= set(pins())
    major, minor, _ = pins()["gpu-operator"].version.split(".")
    assert operators()["gpu-operator-certified"].channel == f"v{major}.{minor}"


def test_openshift_ai_2_where_openshift_carries_no_3() -> None:
    found = offered("rhods-operator", {"fast-3.x": "3.3.0", "stable": "2.25.0", "eus-2.16": "2.16.3"}, "fast-3.x")
    assert _chosen(olm.RHOAI, found, wants=Wants((1, 29), 2)) == ("stable", "rhods-operator.v2.25.0", False)


def test_an_older_version_is_named_where_every_newest_one_is_bad() -> None:
    """From there on people approve: OLM would update it to the one that lets everybody in."""
    found = offered("rhcl-operator", {"stable": "1.4.0"}, entries=("1.4.0", "1.3.2", "1.3.1", "1.2.0"))
    assert _chosen(olm.RHCL, found) == ("stable", "rhcl-operator.v1.3.2", True)
    facts = bare("4.20.4", "v1.33.5", probes=offering(rhcl_operator=[found])).facts()
    spec = subscriptions([one(steps(facts), "kuadrant-operator")])["rhcl-operator"]
    assert (spec["startingCSV"], spec["installPlanApproval"]) == ("rhcl-operator.v1.3.2", "Manual")


@pytest.mark.parametrize(
    ("catalogs", "why"),
    [
        ([], "no catalog has the package rhcl-operator"),
        (
            [offered("rhcl-operator", {"stable": "1.4.0", "stable-1.2": "1.2.4"})],
            "no channel of rhcl-operator will do: stable has 1.4.0 (it lets requests pass the gateway without "
            "authentication); stable-1.2 has 1.2.4 (1.3 is the oldest that is worked with)",
        ),
    ],
)
def test_what_must_not_be_installed_never_is(catalogs: list[dict[str, Any]], why: str) -> None:
    """Not even where somebody insists: there is no step for it."""
    facts = bare("4.20.4", "v1.33.5", probes=offering(rhcl_operator=catalogs)).facts()
    with pytest.raises(Unavailable) as refused:
        steps(facts)
    assert str(refused.value) == f"Red Hat Connectivity Link cannot be installed: {why}"


def test_a_version_that_needs_a_newer_kubernetes_is_passed_over() -> None:
    found = offered("nfd", {"stable": "4.21.0", "stable-4.16": "4.16.3"}, "stable")
    found["channels"][0]["kubernetes"] = "1.34.0"
    assert _chosen(olm.NFD, found) == ("stable-4.16", "nfd.v4.16.3", False)
    assert _chosen(olm.NFD, found, wants=Wants((1, 34))) == ("stable", "nfd.v4.21.0", False)
    assert _chosen(olm.NFD, found, wants=Wants(None)) == ("stable", "nfd.v4.21.0", False)


def test_a_channel_that_is_given_up_is_the_last_choice() -> None:
    found = offered("rhcl-operator", {"stable": "1.4.0", "old": "1.5.0", "stable-1.4": "1.4.2"}, "stable")
    found["channels"][1]["deprecated"] = "use stable"
    assert _chosen(olm.RHCL, found) == ("stable-1.4", "rhcl-operator.v1.4.2", False)


def test_the_usual_catalog_goes_first_and_a_mirror_of_another_name_will_do() -> None:
    mirror = offered("rhcl-operator", {"stable": "1.5.0"}, catalog="cs-redhat-index", namespace="mirrors")
    red_hats = offered("rhcl-operator", {"stable": "1.4.2"})
    found = chosen(olm.RHCL, [mirror, red_hats], _NOW)
    assert found and (found.catalog, found.catalog_namespace) == ("redhat-operators", "openshift-marketplace")
    found = chosen(olm.RHCL, [mirror], _NOW)
    assert found and (found.catalog, found.catalog_namespace) == ("cs-redhat-index", "mirrors")
    found = chosen(olm.RHCL, [mirror, offered("rhcl-operator", {"stable": "1.4.0"})], _NOW)
    assert found and found.catalog == "cs-redhat-index", "Red Hat's own has only what must not be used"


def test_a_mirror_is_subscribed_to_by_its_name() -> None:
    mirror = offered("rhcl-operator", {"stable": "1.5.0"}, catalog="cs-redhat-index", namespace="mirrors")
    facts = bare("4.20.4", "v1.33.5", probes=offering(rhcl_operator=[mirror])).facts()
    spec = subscriptions(steps(facts))["rhcl-operator"]
    assert (spec["source"], spec["sourceNamespace"]) == ("cs-redhat-index", "mirrors")


def test_what_is_kept_of_a_package_is_little() -> None:
    manifest = {
        "metadata": {"name": "rhcl-operator", "labels": {"catalog": "redhat-operators"}},
        "status": {
            "catalogSource": "redhat-operators",
            "catalogSourceNamespace": "openshift-marketplace",
            "defaultChannel": "stable",
            "channels": [
                {
                    "name": "stable",
                    "currentCSV": "rhcl-operator.v1.4.2",
                    "currentCSVDesc": {
                        "version": "1.4.2",
                        "minKubeVersion": "1.25.0",
                        "description": "long" * 1000,
                        "icon": [{"base64data": "x" * 10_000}],
                        "annotations": {"alm-examples": "[" + "{}," * 1000 + "{}]"},
                        "relatedImages": ["registry/x"] * 100,
                    },
                    "entries": [{"name": "rhcl-operator.v1.4.2", "version": "1.4.2"}] * 1000,
                }
            ],
        },
    }
    found = kept(manifest)
    assert len(found["channels"][0].pop("entries")) == 30
    assert found == {
        "catalog": "redhat-operators",
        "namespace": "openshift-marketplace",
        "default": "stable",
        "channels": [
            {"name": "stable", "csv": "rhcl-operator.v1.4.2", "version": "1.4.2", "kubernetes": "1.25.0"},
        ],
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_VERSION = st.sampled_from(["1.4.0", "v1.4.0", "1.4.1", "1.3.0", "1.2.9", "0.1.0", "1.4.0-rc.1", "2.25.0", "3.3.0"])
_NAME = st.sampled_from(["stable", "stable-1.4", "fast", "v26.7", "", "été", "a" * 70])


def _near(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A record with some of its fields absurd or absent."""
    return st.fixed_dictionaries({}, optional={key: value | _JSON for key, value in fields.items()}) | _JSON


_DESCRIPTION = _near(
    version=_VERSION,
    minKubeVersion=st.sampled_from(["1.25.0", "1.99.0", "x"]),
    annotations=_near(**{"alm-examples": st.sampled_from(['[{"kind": "ClusterPolicy", "spec": {"a": 1}}]', "[", "7"])}),
)
_ENTRY = _near(name=_VERSION.map(lambda each: f"rhcl-operator.v{each}"), version=_VERSION)
_CHANNEL = _near(
    name=_NAME,
    currentCSV=_VERSION.map(lambda each: f"rhcl-operator.v{each}"),
    currentCSVDesc=_DESCRIPTION,
    entries=st.lists(_ENTRY, max_size=4),
    deprecation=_near(message=st.text(max_size=5)),
)
_STATUS = _near(
    catalogSource=st.sampled_from(["redhat-operators", "mirror", ""]),
    catalogSourceNamespace=st.sampled_from(["openshift-marketplace", "mirrors"]),
    defaultChannel=_NAME,
    channels=st.lists(_CHANNEL, max_size=4),
)
_MANIFEST = st.builds(
    lambda named, status: {"metadata": {"name": named}, "status": status},
    st.sampled_from(["rhcl-operator", "gpu-operator-certified", "nfd", "rhods-operator"]),
    _STATUS,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_MANIFEST, max_size=3), st.sampled_from([2, 3]))
def test_no_catalog_is_too_odd(manifests: list[dict[str, Any]], openshift_ai: int) -> None:
    """Whatever is chosen was offered, is not one of the bad versions, and not below the floor."""
    offered_here = [kept(each) for each in manifests]
    for package in (olm.RHCL, olm.GPU, olm.NFD, olm.RHOAI):
        found = chosen(package, list(offered_here), Wants((1, 33), openshift_ai))
        if found is not None:
            _sound(package, found, offered_here)


def _sound(package: Package, found: Offer, manifests: list[dict[str, Any]]) -> None:
    assert found.channel and isinstance(found.channel, str) and isinstance(found.csv, str)
    channels = [each for it in manifests for each in it["channels"] if each.get("name") == found.channel]
    names = {each.get("csv", "") for each in channels}
    names |= {entry["name"] for each in channels for entry in each.get("entries", [])}
    assert found.csv in names
    if package is olm.RHCL:
        floor = version(pins()["rhcl"].floor)
        versions = [each["version"] for each in channels if each.get("csv", "") == found.csv]
        versions += [e["version"] for c in channels for e in c.get("entries", []) if e["name"] == found.csv]
        known = [number for each in versions if (number := version(each))]
        assert any(floor and at_least(each, floor) and each != (1, 4, 0) for each in known)


@settings(max_examples=60, deadline=None)
@given(_JSON | st.dictionaries(st.sampled_from(["rhcl-operator", "nfd"]), _JSON | st.lists(_STATUS, max_size=2)))
def test_no_probe_is_too_odd(probe: Any) -> None:
    """A snapshot may hold anything."""
    facts = bare("4.20.4", "v1.33.5", probes={PROBE: probe}).facts()
    with contextlib.suppress(Unavailable):
        assert steps(facts, gpu_operator=True)
    assert set(offers.of(facts, Mesh.built_in, Serving.rhoai)) >= {"rhcl-operator", "nfd"}
