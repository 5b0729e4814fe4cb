"""What steps wait for: how far an object is, read from its status, with the words to show meanwhile.

Each is given the object, or None where it is not there yet. A status that speaks of an older spec counts for nothing.
`hopeless` are reasons that no waiting helps: the executor gives up on them at once, instead of after minutes. They are
few, since most controllers try again: a missing image may be pushed, a quota raised, a dependency installed.

An item of a list of metadata has no status: that it is listed is all that is known, and counts.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from maas.cluster.objects import (
    Object,
    at,
    condition,
    is_current,
    is_observed,
    is_true,
    items,
    mapping,
    number,
    text,
)
from maas.cluster.plan.model import Seen, Stage, Until

_DONE = Seen(Stage.done)
_ABSENT = Seen(Stage.waiting, "it is not there yet")
_UNSEEN = Seen(Stage.waiting, "its controller has not looked at it yet")
_LONGEST = 300  # characters of a condition's message
NO_ADDRESS = "AddressNotAssigned"
_INVALID = ("Invalid", "Conflicted", "InvalidCelExpression", "Overridden")


def exists(object: Object | None) -> Seen:
    return _DONE if object is not None else _ABSENT


def gone(object: Object | None) -> Seen:
    """Names what holds it, where something does."""
    if object is None:
        return _DONE
    held = ", ".join(str(each) for each in at(object, "metadata", "finalizers") or ())
    if not at(object, "metadata", "deletionTimestamp"):
        return Seen(Stage.waiting, "it is still there")
    return Seen(Stage.waiting, f"it is being deleted{f', and held by {held}' if held else ''}{_remaining(object)}")


def _remaining(namespace: Object) -> str:
    """What a namespace says is left in it."""
    told = [condition(namespace, each) for each in ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")]
    messages = [text(each, "message") for each in told if text(each, "status") == "True"]
    return f": {'; '.join(messages)}" if messages else ""


def taken(object: Object | None) -> Seen:
    """For what is only tried."""
    return _DONE if object is not None else Seen(Stage.waiting, "the server does not take it yet")


def established(crd: Object | None) -> Seen:
    if crd is not None and "status" not in crd and "spec" not in crd:
        return _DONE
    if crd is not None and text(clash := condition(crd, "NamesAccepted"), "status") == "False":
        return Seen(Stage.hopeless, _said("NamesAccepted", clash))
    return true("Established")(crd)


def true(type: str, *, hopeless: Collection[str] = ()) -> Until:
    """The condition of that type is True, for the newest spec. hopeless: reasons that waiting does not help."""

    def until(object: Object | None) -> Seen:
        if object is None:
            return _ABSENT
        found = condition(object, type)
        if found and not is_current(object, found):
            return _UNSEEN
        if text(found, "status") == "True":
            return _DONE
        stage = Stage.hopeless if text(found, "reason") in hopeless else Stage.waiting
        return Seen(stage, _said(type, found))

    return until


ready: Until = true("Ready")
accepted: Until = true("Accepted", hopeless=("InvalidParameters", "UnsupportedVersion"))


def observed(until: Until) -> Until:
    """For objects whose status says as a whole which generation it speaks of (not KServe's: see is_observed)."""

    def newest(object: Object | None) -> Seen:
        return _UNSEEN if object is not None and not is_observed(object) else until(object)

    return newest


def field(path: Sequence[str], *values: str, hopeless: Collection[str] = ()) -> Until:
    """A text in the object is one of these values: field(("status", "state"), "ready")."""

    def until(object: Object | None) -> Seen:
        if object is None:
            return _ABSENT
        found = text(object, *path)
        if found in values:
            return _DONE
        stage = Stage.hopeless if found in hopeless else Stage.waiting
        return Seen(stage, f"{'.'.join(path)} is {found or 'empty'}{_why_not(object)}")

    return until


def programmed(*, load_balancer: bool = True) -> Until:
    """Of a Gateway. Without a load balancer it never gets an address: it serves all the same, from within the cluster.

    load_balancer: whether the cluster has something that gives Services of that type an address.
    """
    usual = true("Programmed", hopeless=("Invalid", "ListenersNotValid", "UnsupportedAddress"))

    def until(gateway: Object | None) -> Seen:
        seen = usual(gateway)
        if gateway is None or seen.stage is not Stage.waiting:
            return seen
        if text(condition(gateway, "Programmed"), "reason") == NO_ADDRESS and is_true(gateway, "Accepted"):
            why = "it has no address from outside the cluster (AddressNotAssigned)"
            return Seen(Stage.waiting if load_balancer else Stage.done, why, enough=True)
        refused = condition(gateway, "Accepted")
        return Seen(seen.stage, _said("Accepted", refused)) if text(refused, "status") == "False" else seen

    return until


def attached(route: Object | None) -> Seen:
    """Of an HTTPRoute: each gateway that it names has taken it, and knows where to send its requests."""
    if route is None:
        return _ABSENT
    named = {_parent(each, route) for each in items(route, "spec", "parentRefs")}
    known = {_parent(mapping(each, "parentRef"), route): each for each in items(route, "status", "parents")}
    for parent in sorted(named):
        if parent not in known:
            return Seen(Stage.waiting, f"Gateway {parent[0]}/{parent[1]} has not looked at it yet")
        for type in ("Accepted", "ResolvedRefs"):
            found = condition(known[parent], type, "conditions")
            if text(found, "status") != "True" or not is_current(route, found):
                return Seen(Stage.waiting, f"Gateway {parent[0]}/{parent[1]}: {_said(type, found)}")
    return _DONE


def _parent(ref: Object, route: Object) -> tuple[str, str, str]:
    here = text(route, "metadata", "namespace")
    return text(ref, "namespace") or here, text(ref, "name"), text(ref, "sectionName")


def enforced(policy: Object | None) -> Seen:
    """Of Kuadrant's policies: accepted, and carried out by the gateway's Envoy."""
    seen = true("Accepted", hopeless=_INVALID)(policy)
    return true("Enforced", hopeless=_INVALID)(policy) if seen.stage is Stage.done else seen


def served(model: Object | None) -> Seen:
    """Of an InferenceService. KServe says what keeps a model from loading elsewhere than in its conditions."""
    seen = true("Ready")(model)
    if seen.stage is Stage.done:
        return seen
    failure = mapping(model, "status", "modelStatus", "lastFailureInfo")
    if told := ": ".join(filter(None, (text(failure, "reason"), text(failure, "message")))):
        hopeless = text(failure, "reason") in ("NoSupportingRuntime", "RuntimeNotRecognized", "InvalidPredictorSpec")
        return Seen(Stage.hopeless if hopeless else Stage.waiting, _brief(told))
    if model is not None and not mapping(model, "status"):
        return _UNSEEN
    return Seen(seen.stage, _specific(model, ("PredictorReady", "IngressReady")) or seen.why)


def available(deployment: Object | None) -> Seen:
    """Of a Deployment: its newest pods are up. Its progress deadline is no end: it goes on trying after that."""
    if deployment is None:
        return _ABSENT
    if not _seen_by_controller(deployment):
        return _UNSEEN
    replicas = number(deployment, "spec", "replicas")
    wanted = 1 if replicas is None else replicas
    updated, up = (number(deployment, "status", each) or 0 for each in ("updatedReplicas", "availableReplicas"))
    if min(updated, up) >= wanted and (number(deployment, "status", "replicas") or 0) <= updated:
        return _DONE
    why = _specific(deployment, ("ReplicaFailure", "Progressing")) if up < wanted else ""
    return Seen(Stage.waiting, f"{min(updated, up)} of {wanted} replicas are available{f': {why}' if why else ''}")


def rolled_out(daemons: Object | None) -> Seen:
    """Of a DaemonSet: its newest pods are up on every node it wants."""
    if daemons is None:
        return _ABSENT
    if not _seen_by_controller(daemons):
        return _UNSEEN
    wanted = number(daemons, "status", "desiredNumberScheduled") or 0
    up = min(number(daemons, "status", each) or 0 for each in ("updatedNumberScheduled", "numberAvailable"))
    return _DONE if up >= wanted else Seen(Stage.waiting, f"{up} of {wanted} pods are available")


def succeeded(csv: Object | None) -> Seen:
    """Of a ClusterServiceVersion."""
    if csv is None:
        return _ABSENT
    phase, reason, message = (text(csv, "status", each) for each in ("phase", "reason", "message"))
    if phase == "Succeeded":
        return _DONE
    told = ": ".join(filter(None, (f"its phase is {phase or 'not set yet'}", reason, message)))
    return Seen(Stage.hopeless if phase == "Failed" else Stage.waiting, _brief(told))


def complete(install_plan: Object | None) -> Seen:
    phase = text(install_plan, "status", "phase")
    if phase == "RequiresApproval":
        return Seen(Stage.waiting, "it waits for somebody to approve it")
    seen = field(("status", "phase"), "Complete", hopeless=("Failed",))(install_plan)
    failed = _specific(install_plan, ("Installed",))
    return Seen(seen.stage, f"{seen.why}: {failed}") if failed and seen.why else seen


# What keeps a Subscription from being installed. A catalog that does not answer may do so in a minute; that no version
# meets what is asked for stays so.
_STUCK = (
    "ResolutionFailed",
    "BundleUnpackFailed",
    "InstallPlanFailed",
    "InstallPlanMissing",
    "CatalogSourcesUnhealthy",
)
_FOR_GOOD = ("BundleUnpackFailed", "InstallPlanFailed", "ConstraintsNotSatisfiable")


def installed(subscription: Object | None) -> Seen:
    """OLM has an installed CSV for it. What it cannot resolve comes before what it waits for."""
    if subscription is None:
        return _ABSENT
    if text(subscription, "status", "installedCSV"):
        return _DONE
    for type in _STUCK:
        if text(found := condition(subscription, type), "status") == "True":
            hopeless = type in _FOR_GOOD or text(found, "reason") in _FOR_GOOD
            return Seen(Stage.hopeless if hopeless else Stage.waiting, _said(type, found))
    if text(condition(subscription, "InstallPlanPending"), "reason") == "RequiresApproval":
        return Seen(Stage.waiting, f"InstallPlan {_install_plan(subscription)} waits for somebody to approve it")
    state = text(subscription, "status", "state")
    return Seen(Stage.waiting, f"OLM has installed nothing for it yet{f' ({state})' if state else ''}")


def _install_plan(subscription: Object) -> str:
    return text(subscription, "status", "installPlanRef", "name") or text(subscription, "status", "installplan", "name")


def _seen_by_controller(workload: Object) -> bool:
    return (number(workload, "status", "observedGeneration") or 0) >= (number(workload, "metadata", "generation") or 0)


def _specific(object: Object | None, types: Sequence[str]) -> str:
    """What the first of these conditions complains of; "" if none does."""
    for type in types:
        found = condition(object or {}, type)
        bad = "True" if type.endswith("Failure") else "False"
        if text(found, "status") == bad:
            return _said(type, found)
    return ""


def _why_not(object: Object) -> str:
    told = _specific(object, ("Ready", "ComponentsReady", "Reconciled"))
    return f": {told}" if told else ""


def _said(type: str, found: Mapping[str, Any]) -> str:
    """ "Ready is False: MissingDependency: …"."""
    if not found:
        return f"it has no condition {type} yet"
    words = [f"{type} is {text(found, 'status') or 'unknown'}", text(found, "reason"), text(found, "message")]
    return _brief(": ".join(filter(None, words)))


def _brief(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
