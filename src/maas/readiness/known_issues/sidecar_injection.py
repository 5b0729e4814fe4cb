"""Istio injects its sidecar into Kuadrant's pods, which then hang in their init containers.

The exception: with mTLS switched on in the Kuadrant resource, Authorino and Limitador are meant to have sidecars, and
a namespace that forbids them cuts the gateway off.
"""

from collections.abc import Iterator

from maas.cluster.changes import restart, set_labels
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, KUADRANT, NAMESPACE, POD, SMMR
from maas.cluster.objects import Object, every, flag, items, label, mapping, name, namespace, text, texts
from maas.cluster.shell import word
from maas.readiness.catalogue import BOTH, Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, skipped, warning
from maas.readiness.issues import known_issue
from maas.readiness.signs import MODEL_LABEL, called, events, few, is_ready

_GATEWAY = "gateway.networking.k8s.io/gateway-name"
_ISTIO = frozenset({"istio-init", "istio-validation", "istio-proxy"})
_DENIED = ("unable to validate against any security context constraint",)


@known_issue(
    "MAAS-404",
    "no sidecar is injected into Kuadrant's pods",
    sign="The namespace of Kuadrant asks for injection (istio-injection=enabled or istio.io/rev), pods there have "
    "istio-init, istio-validation or istio-proxy and are not ready, or their creation was denied for NET_ADMIN. Or a "
    "ServiceMeshMemberRoll holds that namespace.",
    cause="Kuadrant's pods are no part of the mesh. With a sidecar they wait for a proxy that never comes up, so "
    "nothing is authenticated or limited.",
    mend="Label the namespace istio-injection=disabled, remove istio.io/rev, and restart all Deployments in it. Not "
    "with spec.mtls.enable in the Kuadrant resource: then the sidecars of Authorino and Limitador are needed.",
    phases=BOTH,
    covers=("Issue 4: Istio Sidecar Injection Conflicts", "Authentication/Rate Limiting Issues"),
    explains=(
        "MAAS-271",
        "MAAS-272",
        "MAAS-273",
        "MAAS-274",
    ),
)
def injection(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    with_mtls = {namespace(each) for each in facts.all(KUADRANT) if flag(each, "spec", "mtls", "enable")}
    names = {namespace(each) for each in facts.all(KUADRANT)} | {"kuadrant-system"}
    homes = [space for space in facts.all(NAMESPACE) if name(space) in names]
    if not homes:
        yield skipped("does not apply: Kuadrant has no namespace here")
    for space in homes:
        yield from _members(facts, space)
        if name(space) in with_mtls:
            yield from _forbidden_although_needed(facts, space)
        else:
            yield from _injected(facts, space)


def _injected(facts: Facts, space: Object) -> Iterator[Outcome]:
    asks = label(space, "istio-injection") == "enabled" or bool(label(space, "istio.io/rev"))
    pods = [pod for pod in every(facts.all(POD), name(space)) if _sidecars(pod)]
    stuck = [pod for pod in pods if not is_ready(pod)]
    denied = list(events(facts, name(space), "", *_DENIED)) if asks else []
    seen = (*_labels(space), *few([_seen(pod) for pod in stuck or pods]), *few(denied))
    about = called(NAMESPACE, space)
    if stuck or denied:
        message = "its pods wait for a sidecar that Istio injected"
        yield failed(message, *seen, remedy=_remedy(facts, space), about=about)
    elif asks or pods:
        message = "Istio injects sidecars into its pods: those that start next may hang"
        yield warning(message, *seen, remedy=_remedy(facts, space), about=about)


def _members(facts: Facts, space: Object) -> Iterator[Outcome]:
    """Of Service Mesh 2: its network policies cut members off from all that are none."""
    for roll in facts.known(SMMR):
        listed = {*texts(roll, "spec", "members"), *texts(roll, "status", "configuredMembers")}
        if name(space) in listed:
            about = called(SMMR, roll)
            yield warning(
                f"it makes {name(space)} a member of Service Mesh 2, which injects sidecars there and closes it to "
                "the gateway",
                Seen(about, "spec.members", name(space)),
                remedy=Remedy(
                    "Take it out of spec.members or memberSelectors, unless something there needs that mesh; then "
                    "restart its Deployments.",
                    (f"oc edit {SMMR.key}/{word(name(roll))} -n {word(namespace(roll))}",),
                ),
                about=about,
            )


def _forbidden_although_needed(facts: Facts, space: Object) -> Iterator[Outcome]:
    if label(space, "istio-injection") != "disabled":
        return
    meshed = ("authorino", "limitador-limitador")
    names = [name(each) for each in every(facts.known(DEPLOYMENT), name(space)) if name(each) in meshed]
    yield failed(
        "Kuadrant uses mTLS, but its namespace forbids the sidecars that this needs: the gateway cannot reach "
        "Authorino and Limitador",
        Seen(f"Kuadrant in {name(space)}", "spec.mtls.enable", "true"),
        *_labels(space),
        remedy=Remedy(
            "Allow injection again, then restart Authorino and Limitador.",
            changes=(
                set_labels(NAMESPACE, name(space), {"istio-injection": None}, why="sidecars are allowed again"),
                *(restart(DEPLOYMENT, each, name(space), why="it gets its sidecar") for each in names),
            ),
        ),
        about=called(NAMESPACE, space),
    )


def _sidecars(pod: Object) -> list[str]:
    """None in a gateway's own pods, whose istio-proxy is what they are for."""
    if label(pod, _GATEWAY):
        return []
    containers = (*items(pod, "spec", "initContainers"), *items(pod, "spec", "containers"))
    return [text(each, "name") for each in containers if text(each, "name") in _ISTIO]


def _is_guest(deployment: Object) -> bool:
    """Gateways and models that live in the same namespace serve meanwhile: they are left alone."""
    template = mapping(deployment, "spec", "template", "metadata", "labels")
    return any(key in template or label(deployment, key) for key in (_GATEWAY, MODEL_LABEL))


def _seen(pod: Object) -> Seen:
    return Seen(called(POD, pod), "containers", ", ".join(_sidecars(pod)))


def _labels(space: Object) -> Iterator[Seen]:
    for key in ("istio-injection", "istio.io/rev"):
        if value := label(space, key):
            yield Seen(called(NAMESPACE, space), f"metadata.labels.{key}", value)


def _remedy(facts: Facts, space: Object) -> Remedy:
    wanted = {"istio-injection": "disabled", "istio.io/rev": None}
    deployments = [each for each in every(facts.known(DEPLOYMENT), name(space)) if not _is_guest(each)]
    return Remedy(
        "Forbid injection in the namespace, then restart what runs there.",
        changes=(
            set_labels(NAMESPACE, name(space), wanted, why="no sidecars for pods that start from now on"),
            *(restart(DEPLOYMENT, name(each), name(space), why="its pods start without one") for each in deployments),
        ),
    )
