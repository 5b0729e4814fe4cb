"""API keys as Authorino sees them: Secrets with its label, the policy's label, and `api_key` in them.

Their values are never needed and never kept: facts hold a digest, which tells equal values apart from others.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.changes import Change, Verb, set_labels
from maas.cluster.facts.model import Facts, Unread
from maas.cluster.facts.redaction import is_redacted
from maas.cluster.facts.stray_keys import PROBE as STRAY_KEYS
from maas.cluster.objects import Object, annotation, items, label, mapping, name, namespace, place, selects, text
from maas.cluster.shell import word
from maas.cluster.stack import ours, rules
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.checks.certificates import moment
from maas.readiness.checks.limits import limit_policies
from maas.readiness.checks.policies import auth_policies
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning

MANAGED_BY = "authorino.kuadrant.io/managed-by"
TEMPORARY, EXPIRES = "maas-temporary", "maas-expires"  # what `maas validate` writes on its own keys
_COVERS = ("All models require API key authentication", "Authentication/Rate Limiting Issues")
_NONE = "there is no key: MAAS-330"
_DIGEST = "sha256:"


@check(
    "MAAS-330",
    "there are API keys",
    Category.keys,
    phases=AFTER,
    severity=Severity.warning,
    wanted="at least one Secret with Authorino's label",
    looks=f"Secrets labelled {MANAGED_BY}; for others see MAAS-331.",
    why="Without a key nobody can use the models.",
    mend="Make one: the command below shows the shape.",
    covers=_COVERS,
)
def exist(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if found := _keys(facts):
        yield passed(f"{len(found)} {'key' if len(found) == 1 else 'keys'}")
        return
    yield failed("no Secret holds an API key", remedy=Remedy("Make one.", (_new_key(facts, asked),), step="keys"))


def _new_key(facts: Facts, asked: Asked) -> str:
    labels = {MANAGED_BY: "authorino", **_wanted_labels(auth_policies(facts, asked))}
    options = " ".join(word(f"{key}={value}") for key, value in labels.items())
    create = "kubectl create secret generic my-key -n kuadrant-system --from-literal=api_key=$(openssl rand -hex 32)"
    return (
        f"{create} &&\nkubectl label secret my-key -n kuadrant-system {options} &&\n"
        f"kubectl annotate secret my-key -n kuadrant-system {rules.GROUPS}=free {rules.USER_ID}=me"
    )


def _wanted_labels(policies: Sequence[Object]) -> dict[str, str]:
    for policy in policies:
        for way in rules.schemes(policy):
            if way.is_api_key and mapping(way.selector, "matchLabels"):
                return {str(k): str(v) for k, v in mapping(way.selector, "matchLabels").items()}
    return {"app": "maas"}


@check(
    "MAAS-331",
    "policies find the keys",
    Category.keys,
    phases=AFTER,
    wanted="Authorino's label and those that an AuthPolicy selects, in a namespace that it looks into",
    looks="The labels of the Secrets, also of those that an AuthPolicy selects and Authorino does not watch, the "
    "selectors of the AuthPolicies, and allNamespaces.",
    why="A Secret that no selector finds is no key: its user gets 401.",
    mend="Label the Secret as the policy selects, or let the policy look into all namespaces.",
    covers=_COVERS,
    after=("MAAS-320", "MAAS-322"),
)
def found_by_policies(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found, policies = _keys(facts), auth_policies(facts, asked)
    stray = _stray(facts)
    yield from stray
    ways = [(policy, way) for policy in policies for way in rules.schemes(policy) if way.is_api_key]
    if not found or not ways:
        yield skipped(_NONE if not found else "no AuthPolicy takes API keys: MAAS-321")
        return
    lost = [key for key in found if not any(_finds(way, key) for _, way in ways)]
    homes = {namespace(each) for each in facts.known(kinds.KUADRANT)} or {ours.KUADRANT}
    elsewhere = [key for key in found if key not in lost and not any(_sees(way, key, homes) for _, way in ways)]
    for key in lost[:5]:
        about, labels = _shown(key), _wanted_labels(policies)
        remedy = Remedy("Label it.", changes=(set_labels(kinds.SECRET, name(key), labels, namespace(key)),))
        said = "is found by no AuthPolicy, so its key gets 401" + _and_more(lost)
        yield failed(said, Seen(about, "metadata.labels"), remedy=remedy, about=about)
    if elsewhere:
        said = f"{names(map(_shown, elsewhere))}: no AuthPolicy looks into that namespace"
        remedy = Remedy("Set allNamespaces: true in the policy, or move the Secret to Authorino's namespace.")
        yield failed(said, *some(Seen(_shown(key)) for key in elsewhere), remedy=remedy)
    if not lost and not elsewhere and not stray:
        yield passed(f"all {len(found)} are found")


def _stray(facts: Facts) -> list[Outcome]:
    """Where it was tried: a snapshot of others holds what they exported."""
    tried = facts.probes.get(STRAY_KEYS)
    found = [] if isinstance(tried, Unread) else items({"keys": tried}, "keys")
    return [_without_label(text(each, "namespace"), text(each, "name"), found) for each in found[:5]]


def _without_label(where: str, named: str, every: Sequence[Object]) -> Outcome:
    said = f"has no label {MANAGED_BY}: Authorino does not watch it, so its key outlives its revoking"
    change = set_labels(kinds.SECRET, named, {MANAGED_BY: "authorino"}, where)
    about = f"Secret {where}/{named}"
    seen = Seen(about, "metadata.labels", f"no {MANAGED_BY}")
    return warning(said + _and_more(every), seen, remedy=Remedy("Label it.", changes=(change,)), about=about)


def _and_more(every: Sequence[Object]) -> str:
    return f" (and {len(every) - 5} more like it)" if len(every) > 5 else ""


def _finds(way: rules.Scheme, key: Object) -> bool:
    return selects(way.selector, mapping(key, "metadata", "labels"))


def _sees(way: rules.Scheme, key: Object, homes: Collection[str]) -> bool:
    return _finds(way, key) and (way.all_namespaces or namespace(key) in homes)


@check(
    "MAAS-332",
    "keys have a value",
    Category.keys,
    phases=AFTER,
    wanted="data.api_key in each Secret, not empty",
    looks="Whether the entry is there and not empty; never what it is.",
    why="Authorino skips a Secret without api_key, and says nothing.",
    mend="Put the value into data.api_key: exactly that name.",
    covers=_COVERS,
)
def valued(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = _keys(facts)
    bad = [key for key in found if not _value(key)]
    for key in bad[:5]:
        about, entries = _shown(key), sorted(map(str, mapping(key, "data")))
        has = f"; it has {names(entries)}" if entries else ""
        command = (
            f"kubectl create secret generic {word(name(key))} -n {word(namespace(key))} --from-literal=api_key=VALUE"
        )
        remedy = Remedy("Give it a value.", (f"{command} --dry-run=client -o yaml | kubectl apply -f -",))
        said = f"has no data.api_key{has}" + _and_more(bad)
        yield failed(said, Seen(about, "data", names(entries)), remedy=remedy, about=about)
    if not bad:
        yield passed(f"all {len(found)} have one") if found else skipped(_NONE)


@check(
    "MAAS-333",
    "no two keys are the same",
    Category.keys,
    phases=AFTER,
    wanted="a value of its own in each Secret",
    looks="Digests of the values.",
    why="Of two Secrets with one value the last one counts: a user gets another's tier, and revoking one stops both.",
    mend="Give one of them a new value.",
    covers=_COVERS,
    after=("MAAS-413",),
)
def unique(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    by_value: dict[str, list[Object]] = defaultdict(list)
    found = [key for key in _keys(facts) if _value(key)]
    for key in found:
        by_value[_value(key)].append(key)
    told_apart = [key for key in found if not _is_hidden(_value(key))]
    double = [keys for value, keys in by_value.items() if len(keys) > 1 and not _is_hidden(value)]
    for keys in double[:5]:
        about = " and ".join(map(_shown, keys[:2])) + (f" and {len(keys) - 2} more" if len(keys) > 2 else "")
        remedy = Remedy(
            "Make new keys for all but one.",
            (f"kubectl delete secret {word(name(keys[-1]))} -n {word(namespace(keys[-1]))}",),
        )
        yield failed("hold the same key", *some(Seen(_shown(k)) for k in keys), remedy=remedy, about=about)
    if not found:
        yield skipped(_NONE)
    elif len(told_apart) < len(found):
        yield unknown(
            f"{len(found) - len(told_apart)} values were taken out of the snapshot: equal ones cannot be told"
        )
    elif not double:
        yield passed(f"all {len(found)} differ")


@check(
    "MAAS-334",
    "keys belong to a known tier and a user",
    Category.keys,
    phases=AFTER,
    wanted=f"the annotations {rules.GROUPS}, with a tier that has a limit, and {rules.USER_ID}",
    looks="The annotations of the Secrets, against the tiers that limits and authorization rules name.",
    why="A tier that no limit names is unlimited or refused; keys without a user share one counter.",
    mend="Annotate the Secret.",
    covers=(*_COVERS, "Rate limiting prevents abuse"),
    after=("MAAS-323", "MAAS-324", "MAAS-412"),
)
def tiered(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = _keys(facts)
    policies = auth_policies(facts, asked)
    which = rules.tier_annotation(policies[0]) if policies else rules.GROUPS
    known, named = _known_tiers(facts, asked, policies), any(map(rules.reads_user, policies))
    bad = [(key, said) for key in found if (said := _untiered(key, which, known, named))]
    for key, said in bad[:5]:
        about = _shown(key)
        command = f"kubectl annotate secret {word(name(key))} -n {word(namespace(key))} --overwrite"
        remedy = Remedy("Annotate it.", (f"{command} {word(which)}=TIER {rules.USER_ID}=USER",))
        more = f" (and {len(bad) - 5} more like it)" if len(bad) > 5 else ""
        yield failed(f"{said}{more}", Seen(about, "metadata.annotations"), remedy=remedy, about=about)
    if not bad:
        yield passed(f"all {len(found)} do") if found else skipped(_NONE)


def _known_tiers(facts: Facts, asked: Asked, policies: Sequence[Object]) -> frozenset[str]:
    """Empty if there are none: nothing asks for the tier of a key."""
    limits = [limit for _, policy in limit_policies(facts, asked) for limit in rules.limits(policy)]
    named = frozenset[str]().union(*(limit.tiers for limit in limits))
    admitted = frozenset[str]().union(*map(rules.admitted_tiers, policies))
    if any(limit.is_catch_all for limit in limits):
        return admitted
    return (admitted & named) or admitted or named


def _untiered(key: Object, which: str, known: frozenset[str], named: bool) -> str:
    """named: policies read the user's name."""
    groups = [group.strip() for group in annotation(key, which).split(",") if group.strip()]
    if known and not groups:
        return f"has no tier: no annotation {which}"
    if known and not known.intersection(groups):
        return f"is of the tier {names(groups)}, which is none of {names(sorted(known))}"
    if named and not annotation(key, rules.USER_ID):
        return f"has no user: no annotation {rules.USER_ID}"
    return ""


@check(
    "MAAS-335",
    "no temporary key was left behind",
    Category.keys,
    phases=AFTER,
    severity=Severity.warning,
    wanted="no key of a `maas validate` that has ended",
    looks=f"Secrets labelled {TEMPORARY}, whose time has passed.",
    why="A forgotten key is a way in that nobody watches.",
    mend="Delete it; the next maas validate does so, too.",
    covers=_COVERS,
)
def no_leftovers(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    made = [key for key in _keys(facts) if label(key, TEMPORARY)]
    left = [key for key in made if (moment(annotation(key, EXPIRES)) or 0.0) < facts.taken_at]
    for key in left[:5]:
        about = _shown(key)
        remedy = Remedy("Delete it.", changes=(Change(Verb.delete, kinds.SECRET, name(key), namespace(key)),))
        said = "was left by a maas validate that was killed" + _and_more(left)
        yield failed(said, Seen(about, EXPIRES, annotation(key, EXPIRES)), remedy=remedy, about=about)
    if not left:
        yield passed("none")


def _keys(facts: Facts) -> list[Object]:
    return [secret for secret in facts.all(kinds.SECRET) if label(secret, MANAGED_BY)]


def _value(key: Object) -> str:
    """As the facts have it: a digest, or a word that says it was taken out; "" if there is none."""
    return text(key, "data", "api_key") or text(key, "stringData", "api_key")


def _is_hidden(value: str) -> bool:
    """Taken out without a trace of what it was, so that all look alike."""
    return not value.startswith(_DIGEST) and is_redacted(value)


def _shown(key: Object) -> str:
    return f"Secret {place(key)}"
