"""API keys as Secrets: one each, beside Authorino, which watches them.

Authorino compares what a client sends with the value itself. So the value stands in the Secret as it is, in
data.api_key (on the embedded target there is but a hash): who may read Secrets in that namespace can use every key.

Authorino keeps Secrets by their value, and takes no notice of annotations that change beside a value that does not. A
key that is to end earlier is therefore a new Secret with the old value, made before the old one is deleted; the name
has a number for that. A revoked key keeps its Secret, for lists: without Authorino's label, and with a digest in place
of the value, so that it does not come back by an import.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from maas.cluster.objects import Object, annotation, label, name, namespace, text
from maas.cluster.resources.auth_policy import SELECTOR
from maas.cluster.resources.making import Body, made
from maas.cluster.resources.rego import EXPIRES, MODELS, TIER, USER
from maas.cluster.wanted import KUADRANT, MANAGED_BY
from maas.domain import keys
from maas.domain.keys import Key

NAMESPACE = KUADRANT
WATCHED = "authorino.kuadrant.io/managed-by"
KEY_ID = "maas.io/key-id"  # a label
NAME, DESCRIPTION, PREFIX = "maas.io/name", "maas.io/description", "maas.io/prefix"
CREATED, CREATED_BY, REVOKED = "maas.io/created-at", "maas.io/created-by", "maas.io/revoked-at"
DIGEST = "maas.io/digest"
_LIVE: Mapping[str, str] = {WATCHED: "authorino", **SELECTOR}
LIVE = ",".join(f"{key}={value}" for key, value in _LIVE.items())
ENDED = f"{KEY_ID},!{WATCHED}"


@dataclass(frozen=True)
class Kept:
    """A key and the Secret that holds it. value: None once it was revoked.

    digest: of the value that was revoked.
    others: further Secrets of the same key, which a change left that was killed between its two writes.
    """

    key: Key
    secret: str
    value: str | None
    others: tuple[str, ...] = ()
    digest: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret, *self.others)

    def holds(self, value: str) -> bool:
        """Also one that it held until it was revoked."""
        held = self.digest if self.value is None else digest(self.key.id, self.value)
        return hmac.compare_digest(held, digest(self.key.id, value))


def secret(kept: Kept, actor: str) -> Body:
    """For POST: it must not exist yet."""
    key = kept.key
    noted = {
        TIER: key.tier,
        USER: key.user,
        NAME: key.name,
        DESCRIPTION: key.description,
        PREFIX: key.prefix,
        CREATED: moment(key.created_at),
        CREATED_BY: actor,
        EXPIRES: "" if key.expires_at is None else moment(key.expires_at),
        MODELS: "" if key.models is None else ",".join(sorted(key.models)) or NO_MODEL,
    }
    return made(
        "v1",
        "Secret",
        kept.secret,
        NAMESPACE,
        labels={MANAGED_BY: "maas", WATCHED: "authorino", **SELECTOR, KEY_ID: key.id},
        annotations={name: value for name, value in noted.items() if value},
        type="Opaque",
        data={"api_key": base64.b64encode((kept.value or "").encode()).decode()},
    )


def works(secret: Object, at: float) -> bool:
    """Whether it lets somebody in, as far as can be told without its value: facts hold none."""
    live = all(label(secret, key) == value for key, value in _LIVE.items()) and namespace(secret) == NAMESPACE
    held = text(secret, "data", "api_key") and not annotation(secret, REVOKED)
    ends = annotation(secret, EXPIRES)
    return bool(live and held and (not ends or (seconds(ends) or 0.0) > at))


NO_MODEL = "-"  # no model is called so


def secret_name(id: str, number: int = 0) -> str:
    """ "maas-key-1c2a44f0b96d3e57" of key_1c2a44f0b96d3e57; with a number where it takes the place of another."""
    plain = "maas-key-" + re.sub(r"[^a-z0-9]+", "-", id.removeprefix("key_").lower()).strip("-")
    return f"{plain}-{number}" if number else plain


def _number(secret: str, id: str) -> int:
    found = re.fullmatch(re.escape(secret_name(id)) + r"-(\d+)", secret)
    return int(found[1]) if found else 0


def without_value(kept: Kept, at: float) -> Mapping[str, Any]:
    """A merge patch: the key fails as soon as Authorino has seen it."""
    notes = {REVOKED: moment(at), DIGEST: digest(kept.key.id, kept.value or "")}
    return {"data": {"api_key": None}, "metadata": {"annotations": notes}}


def digest(id: str, value: str) -> str:
    """Of one value another one for each key."""
    said = value.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(said, digest_size=32, salt=hashlib.blake2b(id.encode(), digest_size=16).digest()).hexdigest()


def unwatched(id: str) -> Mapping[str, Any]:
    """A merge patch: nobody takes it for a key any more. Only after the value is gone: of a Secret that it no longer
    watches, an older Authorino would not hear that."""
    return {"metadata": {"labels": {WATCHED: None, **dict.fromkeys(SELECTOR), KEY_ID: id}}}


def read(secret: Object) -> Kept:
    """Any Secret that Authorino takes for a key, also one that others made: its id is then its name."""
    value = _decoded(text(secret, "data", "api_key"))
    created = seconds(annotation(secret, CREATED) or text(secret, "metadata", "creationTimestamp")) or 0.0
    ends, models = annotation(secret, EXPIRES), annotation(secret, MODELS)
    revoked = seconds(annotation(secret, REVOKED))
    key = Key(
        id=label(secret, KEY_ID) or name(secret),
        hash=keys.hash_of(value, b"") if value else b"",
        prefix=annotation(secret, PREFIX) or (keys.shown_prefix(value) if value else ""),
        user=annotation(secret, USER),
        tier=annotation(secret, TIER),
        name=annotation(secret, NAME) or name(secret),
        created_at=created,
        expires_at=(seconds(ends) or 0.0) if ends else None,  # what cannot be read has ended, as the policy sees it
        revoked_at=revoked if revoked is not None or value else created,
        models=frozenset(models.split(",")) - {NO_MODEL} if models else None,
        description=annotation(secret, DESCRIPTION) or annotation(secret, "description"),
    )
    return Kept(key, name(secret), value or None, digest=annotation(secret, DIGEST))


def every(secrets: Iterable[Object]) -> list[Kept]:
    """One for each key, in the order in which they were made. Of two Secrets the one counts that ends first."""
    by_id: dict[str, list[Kept]] = defaultdict(list)
    for kept in map(read, secrets):
        by_id[kept.key.id].append(kept)
    found = [_together(sorted(held, key=_ends)) for held in by_id.values()]
    return sorted(found, key=lambda kept: (kept.key.created_at, kept.key.id))


def _together(held: Sequence[Kept]) -> Kept:
    return replace(held[0], others=tuple(each.secret for each in held[1:]))


def ending(kept: Kept, at: float) -> Kept:
    """The same key with an earlier end, in another Secret."""
    id = kept.key.id
    last = max(_number(secret, id) for secret in kept.secrets)
    return replace(kept, key=replace(kept.key, expires_at=at), secret=secret_name(id, last + 1))


def _ends(kept: Kept) -> tuple[bool, float]:
    return kept.value is None, float("inf") if kept.key.expires_at is None else kept.key.expires_at


def moment(at: float) -> str:
    """RFC 3339 to the second, with an offset that every reader of the rule understands (some know no Z)."""
    return datetime.fromtimestamp(int(at), UTC).isoformat()


def seconds(written: str) -> float | None:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return ""
