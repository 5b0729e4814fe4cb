"""What Kuadrant's policies say: who is let in by which header, and how much each tier may.

Conditions are CEL and Rego, which nobody here evaluates. Tiers are named in them as quoted words, compared with the
identity's groups; that is how every published example writes them, and what cannot be read so is said to be unread.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maas.cluster.objects import Object, at, items, mapping, number, text, texts

WINDOW = re.compile(r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")  # the CRD's own pattern
GROUPS = "kuadrant.io/groups"
USER_ID = "secret.kuadrant.io/user-id"
TIER_ANNOTATIONS = (GROUPS, "maas.opendatahub.io/tier", "kuadrant.io/tier", "tier")
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_OF_A_NAME = re.compile(r"[\w.-]", re.ASCII)
_IDENTITY = re.compile(r"\bauth\.identity\.([A-Za-z_]\w*)")
_SET = re.compile(r"\b([A-Za-z_]\w*)\s*:?=\s*[{\[]([^{}\[\]:]*)[}\]]")  # allowed := {"free", "premium"}
_EXCLUDES = re.compile(r"^\s*!\s*\(")  # !(auth.identity.tier in ["free", "premium"])
_ALTERNATIVES = re.compile(r"^\^?\(?(?:\?:)?([\w-]+(?:\|[\w-]+)*)\)?\$?$")  # ^(free|premium)$
_DEEP = 8
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NO_TIERS = frozenset({",", "", ";", "POST", "GET", "HEAD", *TIER_ANNOTATIONS, USER_ID})  # where they are read from


@dataclass(frozen=True)
class Rate:
    """window: as written. seconds: 0 if the window is not valid."""

    limit: int | None
    window: str

    @property
    def seconds(self) -> float:
        if not WINDOW.match(self.window):
            return 0.0
        return sum(int(n) * _UNIT[unit] for n, unit in re.findall(r"(\d+)(ms|s|m|h)", self.window))


@dataclass(frozen=True)
class Limit:
    """One entry of `limits`. tiers: those whose names its conditions hold; none and no condition: everybody."""

    name: str
    rates: tuple[Rate, ...]
    conditions: tuple[str, ...]
    counters: tuple[str, ...]

    @property
    def tiers(self) -> frozenset[str]:
        """None where it is for all but those that it names."""
        about_groups = (each for each in self.conditions if "identity" in each and not _EXCLUDES.match(each))
        return frozenset(word for condition in about_groups for word in quoted(condition)) - _NO_TIERS

    @property
    def reads(self) -> frozenset[str]:
        """The parts of auth.identity that its conditions and counters speak of."""
        return frozenset(part for each in (*self.conditions, *self.counters) for part in _IDENTITY.findall(each))

    @property
    def is_catch_all(self) -> bool:
        """Whether it counts whoever comes: it asks for no tier."""
        return not any("identity" in condition for condition in self.conditions)


@dataclass(frozen=True)
class Scheme:
    """One way in: an `authentication` entry of an AuthPolicy. credentials: {"authorizationHeader": {"prefix": …}}."""

    name: str
    definition: Mapping[str, Any]

    @property
    def is_api_key(self) -> bool:
        return isinstance(self.definition.get("apiKey"), Mapping)

    @property
    def selector(self) -> Mapping[str, Any]:
        return mapping(self.definition, "apiKey", "selector")

    @property
    def all_namespaces(self) -> bool:
        return at(self.definition, "apiKey", "allNamespaces") is True

    @property
    def is_anonymous(self) -> bool:
        return "anonymous" in self.definition

    def headers(self, key: str) -> dict[str, str] | None:
        """How a key is sent; None for a query parameter."""
        where = mapping(self.definition, "credentials")
        if "queryString" in where:
            return None
        if "customHeader" in where:
            return {text(where, "customHeader", "name"): key}
        if "cookie" in where:
            return {"Cookie": f"{text(where, 'cookie', 'name')}={key}"}
        return {"Authorization": f"{text(where, 'authorizationHeader', 'prefix') or 'Bearer'} {key}"}

    @property
    def query(self) -> str:
        return text(self.definition, "credentials", "queryString", "name")


def rules_of(policy: Object) -> Mapping[str, Any]:
    """`rules` is what a policy without defaults and overrides has at its top."""
    for path in (("rules",), ("defaults", "rules"), ("overrides", "rules")):
        if found := mapping(policy, "spec", *path):
            return found
    return {}


def when(policy: Object) -> list[str]:
    """The conditions without which the policy is not applied at all."""
    paths = (("when",), ("defaults", "when"), ("overrides", "when"))
    return [text(each, "predicate") for path in paths for each in items(policy, "spec", *path)]


def schemes(policy: Object) -> list[Scheme]:
    found = mapping(rules_of(policy), "authentication").items()
    return [Scheme(str(name), entry) for name, entry in found if isinstance(entry, Mapping)]


def admitted_tiers(policy: Object) -> frozenset[str]:
    """The tiers that the authorization rules name; none if they name none, which lets every tier in."""
    words = frozenset(_authorization_words(policy)) - _NO_TIERS
    return frozenset(word for word in words if not word.startswith("/"))  # a path, of which rules speak as well


def asks_for_tier(policy: Object) -> bool:
    """Whether the authorization rules speak of the tier at all, in whatever words."""
    said = " ".join(_authorization_texts(policy)).replace("\\.", ".")
    return any(each in said for each in (*TIER_ANNOTATIONS[:-1], "identity.groups", "identity.tier"))


def limits(policy: Object) -> list[Limit]:
    found: dict[str, Any] = {}
    for path in (("overrides", "limits"), ("defaults", "limits"), ("limits",)):
        found |= mapping(policy, "spec", *path)
    return [_limit(str(name), entry) for name, entry in found.items() if isinstance(entry, Mapping)]


def tier_annotation(policy: Object) -> str:
    """The annotation of a key's Secret that the policy reads a tier from."""
    selectors = " ".join(_strings(mapping(rules_of(policy), "response"))) + " ".join(_authorization_texts(policy))
    plain = selectors.replace("\\.", ".")
    return next((each for each in TIER_ANNOTATIONS if f"annotations.{each}" in plain or f'"{each}"' in plain), GROUPS)


def reads_user(policy: Object) -> bool:
    """Whether the policy reads the name of a key's user, to count by it."""
    return any(USER_ID in each.replace("\\.", ".") for each in _strings(mapping(rules_of(policy), "response")))


def handed_on(policy: Object) -> frozenset[str] | None:
    """What limits can read below auth.identity: nothing but what the policy puts there; None for anything."""
    handed = mapping(rules_of(policy), "response", "success", "filters", "identity")
    return None if handed and "json" not in handed else frozenset(map(str, mapping(handed, "json", "properties")))


def quoted(expression: str) -> Iterator[str]:
    """The string literals in CEL or Rego, but for those with escapes that no name has."""
    found = (double or single for double, single in _QUOTED.findall(unescaped(expression)))
    yield from (each for each in found if "\\" not in each)


def unescaped(expression: str) -> str:
    """With what a name may hold written as itself: "\\u0070ackage" is "package" to CEL, Rego and JSON alike."""
    return _ESCAPE.sub(_plain, expression)


def _plain(escape: re.Match[str]) -> str:
    meant = chr(int(escape[1], 16)) if escape[1] else ""
    return meant if _OF_A_NAME.fullmatch(meant) else escape[0]


def _limit(name: str, entry: Mapping[str, Any]) -> Limit:
    rates = tuple(Rate(number(rate, "limit"), text(rate, "window")) for rate in items(entry, "rates"))
    conditions = tuple(text(when, "predicate") for when in items(entry, "when"))
    return Limit(name, rates, conditions, tuple(text(each, "expression") for each in items(entry, "counters")))


def _authorization_words(policy: Object) -> Iterator[str]:
    for _, entry in mapping(rules_of(policy), "authorization").items():
        yield from _rego_words(text(entry, "opa", "rego"))
        for pattern in items(entry, "patternMatching", "patterns"):
            yield from _pattern_words(pattern)


def _rego_words(rego: str) -> Iterator[str]:
    """What is compared with, on the line or in a set that has a name."""
    for line in rego.splitlines():
        if "==" in line or " in " in line:
            yield from quoted(line)
    for named, words in _SET.findall(rego):
        if re.search(rf"\b{named}\[|\bin {named}\b", rego):
            yield from quoted(words)


def _pattern_words(pattern: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """A pattern may hold others, below `any` and `all`."""
    if "identity" in text(pattern, "predicate"):
        yield from quoted(text(pattern, "predicate"))
    if "identity" in text(pattern, "selector"):
        match text(pattern, "operator"):
            case "eq" | "incl":
                yield text(pattern, "value")
            case "matches" if found := _ALTERNATIVES.match(text(pattern, "value")):
                yield from found[1].split("|")
    for inner in (*items(pattern, "any"), *items(pattern, "all")) if depth < _DEEP else ():
        yield from _pattern_words(inner, depth + 1)


def _authorization_texts(policy: Object) -> Iterator[str]:
    yield from _strings(mapping(rules_of(policy), "authorization"))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        yield from texts(value)
        for each in value:
            yield from _strings(each) if isinstance(each, Mapping) else ()
