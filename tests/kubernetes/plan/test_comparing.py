"""Whether an object is as it is wanted, through everything that servers and controllers do to it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.facts.pruning import pruned
from maas.cluster.kinds import SECRET
from maas.cluster.objects import annotation, label
from maas.cluster.plan.comparing import differences, fingerprint, is_as_wanted, is_ours, marked
from maas.cluster.wanted import APPLIED, MANAGED_BY
from tests.kubernetes.plan.making import config_map

_NAMES = st.sampled_from(["a", "b", "name", "limits", "spec", "x/y"])
_LEAVES = st.one_of(st.text("ab", max_size=2), st.integers(-2, 2), st.booleans(), st.none())
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(_NAMES, _TREES, max_size=4)


def wanted(spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "llm"},
        "spec": spec,
    }


def found(spec: Any, kind: str = "Widget") -> list[str]:
    return [each.path for each in differences(wanted(spec[0]), wanted(spec[1]))]


@given(_OBJECTS)
def test_what_was_applied_is_as_wanted(spec: Any) -> None:
    assert is_as_wanted(wanted(spec), marked(wanted(spec), ours=True))


@given(_OBJECTS, _OBJECTS)
def test_what_others_add_is_none_of_our_business(spec: Any, more: Any) -> None:
    """Fields beside ours, a status, more labels and annotations."""
    there = marked(wanted(spec), ours=True)
    there["status"] = more
    there["spec"] = {**{f"other-{key}": value for key, value in more.items()}, **there["spec"]}
    there["metadata"]["labels"] |= {"other": "label"}
    assert is_as_wanted(wanted(spec), there)


@given(_OBJECTS, _OBJECTS)
def test_what_is_otherwise_is_seen(one: Any, other: Any) -> None:
    """By its fields, or by the hash of what was applied last."""
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
        assert not is_as_wanted(wanted(one), marked(wanted(other), ours=True))


@given(_OBJECTS)
def test_the_hash_is_of_what_is_wanted_alone(spec: Any) -> None:
    plain = wanted(spec)
    assert fingerprint(plain) == fingerprint(marked(plain, ours=True)) == fingerprint(json.loads(json.dumps(plain)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"resources": {"limits": {"cpu": "1000m"}}}, {"resources": {"limits": {"cpu": "1"}}}),
        ({"resources": {"requests": {"memory": "1024Mi"}}}, {"resources": {"requests": {"memory": "1Gi"}}}),
        ({"resources": {"limits": {"nvidia.com/gpu": 1}}}, {"resources": {"limits": {"nvidia.com/gpu": "1"}}}),
        ({"volumes": [{"name": "a", "emptyDir": {}}]}, {"volumes": [{"name": "b"}, {"name": "a", "emptyDir": {}}]}),
        ({"volumes": [{"emptyDir": {"sizeLimit": "1024Mi"}}]}, {"volumes": [{"emptyDir": {"sizeLimit": "1Gi"}}]}),
        (
            {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}]},
            {"containers": [{"name": "b"}, {"name": "a", "env": [{"name": "Y"}, {"name": "X", "value": "1"}]}]},
        ),
        ({"empty": {}, "none": None, "list": [], "text": ""}, {}),
    ],
)
def test_the_servers_habits_are_no_difference(ours: Any, theirs: Any) -> None:
    assert found((ours, theirs)) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "path"),
    [
        ({"a": 1}, {"a": 2}, "spec.a"),
        ({"a": False}, {}, "spec.a"),
        ({"a": 0}, {}, "spec.a"),
        ({"a": True}, {"a": 1}, "spec.a"),
        ({"text": "1000m"}, {"text": "1"}, "spec.text"),
        ({"hosts": ["a"]}, {"hosts": ["a", "b"]}, "spec.hosts"),
        ({"rules": [{"name": "a"}]}, {"rules": [{"name": "b"}]}, "spec.rules[0].name"),
        (
            {"containers": [{"name": "a", "image": "x"}]},
            {"containers": [{"name": "a", "image": "y"}]},
            "spec.containers.a.image",
        ),
        ({"containers": [{"name": "a"}]}, {"containers": [{"name": "b"}]}, "spec.containers.a"),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1"}}, "spec.limits.cpu"),
    ],
)
def test_what_means_something_else_is_a_difference(ours: Any, theirs: Any, path: str) -> None:
    assert found((ours, theirs)) == [path]


def secret(**values: str) -> dict[str, Any]:
    metadata = {"name": "keys", "namespace": "llm", "labels": {"app.kubernetes.io/part-of": "maas"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def stored(secret: dict[str, Any]) -> dict[str, Any]:
    """As the server has it."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in secret["stringData"].items()}
    return {key: value for key, value in marked(secret, ours=True).items() if key != "stringData"} | {"data": data}


@pytest.mark.parametrize("read", [lambda found: found, lambda found: pruned(SECRET, found)])
def test_secrets_are_compared_by_their_values_and_never_show_them(read: Any) -> None:
    old, new = secret(key="sk-the-old-one"), secret(key="sk-the-new-one")
    assert is_as_wanted(old, read(stored(old)))
    assert not is_as_wanted(new, read(stored(old)))
    (told,) = differences(new, read(stored(old)))
    assert told.path == "data.key" and "sk-" not in repr(told)


def test_a_hash_does_not_let_values_be_guessed() -> None:
    assert fingerprint(secret(key="a")) == fingerprint(secret(key="b")) != fingerprint(secret(other="a"))


def test_marks() -> None:
    plain = config_map("a", x="1")
    mine, adopted = (
        marked(plain, ours=True),
        marked({**plain, "metadata": {**plain["metadata"], "labels": {MANAGED_BY: "maas"}}}, ours=False),
    )
    assert is_ours(mine) and label(mine, "app.kubernetes.io/part-of") == "maas"
    assert not is_ours(adopted) and annotation(adopted, APPLIED)
    assert "annotations" not in plain["metadata"], "what is wanted stays as it is"


def test_of_metadata_alone_only_that_is_compared() -> None:
    listed = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": marked(config_map("a", x="1"), ours=True)["metadata"],
    }
    assert is_as_wanted(config_map("a", x="1"), listed)
    assert not is_as_wanted(config_map("a", x="2"), listed), "its hash is another one"
