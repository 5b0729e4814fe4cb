"""Who must reach whom: the pods at both ends, as they are, or as they will be once they are there."""

from collections.abc import Iterable, Mapping

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import POD, SERVICE
from maas.cluster.objects import Object, items, label, mapping, name, namespace, number, place, text
from maas.cluster.reach import End
from maas.cluster.stack import ours

GATEWAY = "gateway.networking.k8s.io/gateway-name"
_ENVOY = {"http-envoy-prom": 15090}


def of_pod(pod: Object, chosen: Mapping[str, str] | None = None) -> End:
    ports = [port for each in items(pod, "spec", "containers") for port in items(each, "ports")]
    by_name = {text(port, "name"): number(port, "containerPort") or 0 for port in ports}
    return End(f"Pod {place(pod)}", namespace(pod), mapping(pod, "metadata", "labels"), by_name, chosen or {})


def is_over(pod: Object) -> bool:
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def gateways(facts: Facts, preferred: str) -> list[End]:
    """Of each of the platform's one pod; the one to come, if there is none. Raises NotRead.

    Those of others are none of its business: to them nothing is to be opened.
    """
    if facts.all(kinds.GATEWAY):
        found = of_gateways(facts, ours.gateways(facts, preferred))
    else:
        found = [of_pod(pod, {GATEWAY: named}) for (_, named), pod in facts.derived(_gateway_pods).items()]
    return found or [_to_come("the gateway", preferred, "maas-gateway")]


def of_gateways(facts: Facts, gateways: Iterable[Object]) -> list[End]:
    pods = facts.derived(_gateway_pods)
    return [_of_gateway(each, pods.get((namespace(each), name(each)))) for each in gateways]


def _of_gateway(gateway: Object, pod: Object | None) -> End:
    if pod is None:
        return _to_come(ours.shown(kinds.GATEWAY, gateway), namespace(gateway), name(gateway))
    return of_pod(pod, {GATEWAY: name(gateway)})


def _to_come(described: str, where: str, named: str) -> End:
    labels = {GATEWAY: named}
    return End(described, where, labels, _ENVOY, labels)


def _gateway_pods(facts: Facts) -> dict[tuple[str, str], Object]:
    pods = (pod for pod in facts.known(POD) if label(pod, GATEWAY) and not is_over(pod))
    return {(namespace(pod), label(pod, GATEWAY)): pod for pod in pods}


def services_of(facts: Facts, gateway: Object) -> list[Object]:
    """Those that whoever runs the gateway made for it."""
    return [
        each
        for each in facts.known(SERVICE)
        if namespace(each) == namespace(gateway) and label(each, GATEWAY) == name(gateway)
    ]
