"""How a condition that is not as wanted is told, and what its reason asks for."""

from collections.abc import Mapping
from typing import Any

from maas.cluster.objects import text
from maas.cluster.shell import word
from maas.readiness.evidence import brief
from maas.readiness.findings import Remedy

REASONS = {
    "AddressNotUsable": "ask for an address that the cluster can give, or remove spec.addresses",
    "NoResources": "give the nodes room for the gateway's pod",
    "Invalid": "correct the spec: the message says what is wrong with it",
    "ListenersNotValid": "correct the listeners: MAAS-302 says which",
    "Pending": "wait; if it stays so, look whether the controller runs",
    "NotAllowedByListeners": "let the listener accept routes of this namespace: allowedRoutes.namespaces.from: All",
    "NoMatchingListenerHostname": "give the route a hostname that one of the listeners accepts",
    "NoMatchingParent": "correct parentRefs: sectionName and port must be a listener's",
    "UnsupportedValue": "remove what this gateway's controller does not support",
    "BackendNotFound": "create the Service that the route names, or correct the name",
    "RefNotPermitted": "allow the reference with a ReferenceGrant in the backend's namespace",
    "InvalidKind": "use a Service, or an InferencePool if the controller supports it",
    "UnsupportedProtocol": "use a protocol of the backend that the gateway speaks",
    "InvalidCertificateRef": "create the Secret that tls.certificateRefs names, with tls.crt and tls.key",
    "HostAlreadyClaimed": "another Route has this host: choose another one, or delete that Route",
    "InvalidHost": "choose a host below the cluster's ingress domain",
    "TargetNotFound": "correct spec.targetRef: it must name something in the policy's own namespace",
    "Conflicted": "another policy of this kind has the same target: delete one, or merge them",
    "Overridden": "another policy above or beside this one overrides it: look whether its rules are what you want",
    "MissingDependency": "install what is missing, then restart the Kuadrant operator: it looks at its start only",
    "MissingResource": "create the Kuadrant object in kuadrant-system",
    "InvalidCelExpression": "correct the CEL expression that the message quotes",
}


def status(condition: Mapping[str, Any]) -> str:
    return text(condition, "status") or "absent"


def why(condition: Mapping[str, Any]) -> str:
    """ "Reason: message", as far as there are any."""
    reason, message = text(condition, "reason"), brief(text(condition, "message"))
    return f"{reason}: {message}" if reason and message else reason or message or "no reason is given"


def remedy(condition: Mapping[str, Any], about: str) -> Remedy:
    """about: "Gateway llm/maas-gateway, listener http"."""
    known = REASONS.get(text(condition, "reason"))
    advice = known[0].upper() + known[1:] + "." if known else "Do what the message asks for."
    return Remedy(advice, describe(about).commands)


def describe(about: str) -> Remedy:
    kind, _, rest = about.partition(",")[0].partition(" ")
    place, _, named = rest.rpartition("/")
    where = f" -n {word(place)}" if place else ""
    return Remedy("Look at what its controller says.", (f"kubectl describe {kind.lower()} {word(named)}{where}",))
