"""Keys come back as they were stored, and every change leaves its entry in the audit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.domain.errors import Conflict, NotFound
from maas.domain.keys import Key
from maas.store import AuditEntry, Store
from tests.store.samples import KEY, clear, key

FULL = key(
    "full",
    hash=bytes(range(32)),
    expires_at=200.25,
    revoked_at=150.125,
    last_used_at=149.1,
    models=frozenset({"llama", "qwen"}),
    description="for the notebook",
)


def test_keys_come_back_as_they_were_stored(store: Store) -> None:
    no_models = key("none", models=frozenset(), created_at=101.0)
    for each in (KEY, FULL, no_models):
        store.keys.insert(each, actor="cli", at=1.0)
    assert store.keys.all() == [FULL, KEY, no_models]  # the oldest first, then by id


@given(name=st.text(st.characters(codec=None, exclude_categories=())))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_can_be_stored(store: Store, name: str) -> None:
    clear(store)
    store.keys.insert(key("k", name=name, description=name, user=name), actor=name, at=1.0)
    (stored,) = store.keys.all()
    expected = name.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    assert (stored.name, stored.description, stored.user) == (expected,) * 3


@pytest.mark.parametrize("double", [key("other", hash=KEY.hash), key("k1")], ids=["hash", "id"])
def test_a_key_cannot_exist_twice(store: Store, double: Key) -> None:
    store.keys.insert(KEY, actor="cli", at=1.0)
    with pytest.raises(Conflict, match="exists already"):
        store.keys.insert(double, actor="cli", at=2.0)
    assert store.keys.all() == [KEY]
    assert [entry.at for entry in store.audit.trail()] == [1.0]


def test_revoking_tells_which_keys_it_revoked(store: Store) -> None:
    for id in ("a", "b", "c"):
        store.keys.insert(key(id), actor="cli", at=1.0)
    assert store.keys.revoke(["b"], actor="ann", at=2.0) == {"b"}
    assert store.keys.revoke(["b", "c", "unknown"], actor="ann", at=3.0) == {"c"}
    assert store.keys.revoke([], actor="ann", at=4.0) == frozenset()
    assert {each.id: each.revoked_at for each in store.keys.all()} == {"a": None, "b": 2.0, "c": 3.0}


def test_thousands_of_keys_are_revoked_at_once(store: Store) -> None:
    ids = [f"k{i}" for i in range(2000)]
    for id in ids[::100]:
        store.keys.insert(key(id), actor="cli", at=1.0)
    assert store.keys.revoke(ids, actor="ann", at=2.0) == set(ids[::100])


def test_an_expiry_can_be_set_and_taken_back(store: Store) -> None:
    store.keys.insert(KEY, actor="cli", at=1.0)
    store.keys.set_expiry("k1", 500.5, actor="ann", at=2.0)
    assert store.keys.all()[0].expires_at == 500.5
    store.keys.set_expiry("k1", None, actor="ann", at=3.0)
    assert store.keys.all()[0].expires_at is None


def test_an_unknown_key_has_no_expiry(store: Store) -> None:
    with pytest.raises(NotFound, match="nobody"):
        store.keys.set_expiry("nobody", 1.0, actor="ann", at=2.0)
    assert store.audit.trail() == []


@pytest.mark.parametrize(("before", "after"), [(None, 50.0), (40.0, 40.0), (60.0, 50.0)])
def test_rotating_ends_the_old_key_and_never_prolongs_it(store: Store, before: float | None, after: float) -> None:
    store.keys.insert(key("old", expires_at=before), actor="cli", at=1.0)
    store.keys.rotate("old", key("young"), expires_at=50.0, actor="ann", at=2.0)
    assert {each.id: each.expires_at for each in store.keys.all()} == {"old": after, "young": None}


def test_a_rotation_that_fails_changes_nothing(store: Store) -> None:
    store.keys.insert(key("old"), actor="cli", at=1.0)
    with pytest.raises(Conflict):
        store.keys.rotate("old", key("young", hash=key("old").hash), expires_at=50.0, actor="ann", at=2.0)
    with pytest.raises(NotFound):
        store.keys.rotate("gone", key("young"), expires_at=50.0, actor="ann", at=2.0)
    assert store.keys.all() == [key("old")]
    assert len(store.audit.trail()) == 1


def test_the_time_of_last_use_never_goes_back(store: Store) -> None:
    for id in ("a", "b"):
        store.keys.insert(key(id), actor="cli", at=1.0)
    store.keys.touch_last_used({"a": 5.0, "unknown": 5.0})
    store.keys.touch_last_used({"a": 4.0, "b": 6.5})
    store.keys.touch_last_used({})
    assert {each.id: each.last_used_at for each in store.keys.all()} == {"a": 5.0, "b": 6.5}


def test_every_change_is_in_the_audit(store: Store) -> None:
    created = {"user": "ann", "tier": "free", "name": "laptop", "expires_at": "never"}
    store.keys.insert(key("a"), actor="cli", at=1.0)
    store.keys.rotate("a", key("b", expires_at=90.0), expires_at=50.0, actor="ann", at=2.0)
    store.keys.set_expiry("b", None, actor="bob", at=3.0)
    store.keys.revoke(["a", "b"], actor="eve", at=4.0)
    assert store.audit.trail() == [
        AuditEntry(4.0, "eve", "key.revoke", "b", {}),
        AuditEntry(4.0, "eve", "key.revoke", "a", {}),
        AuditEntry(3.0, "bob", "key.expiry", "b", {"expires_at": "never"}),
        AuditEntry(2.0, "ann", "key.rotate", "a", {"successor": "b", "expires_at": "50.0"}),
        AuditEntry(1.0, "cli", "key.create", "a", created),
    ]


def test_the_audit_can_be_asked_for_a_part(store: Store) -> None:
    for at in range(5):
        store.audit.add(AuditEntry(float(at), "ann", "tiers.apply", f"t{at}", {"limit": "5 per 2m"}))
    assert [entry.target for entry in store.audit.trail(since=3.0)] == ["t4", "t3"]
    assert [entry.target for entry in store.audit.trail(limit=1)] == ["t4"]
