"""Whether anything runs behind a gateway: its status stays Programmed when its pods are gone."""

from collections.abc import Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.changes import Change, Verb
from maas.cluster.components.state import shortage
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, label, mapping, name, namespace, number
from maas.cluster.shell import word
from maas.cluster.stack import ends, ours
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.checks.services import ready_endpoints
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped


@check(
    "MAAS-306",
    "the gateway's pods run",
    Category.gateway,
    phases=AFTER,
    wanted="the gateway's Deployment available, and ready endpoints behind its Service",
    looks="Deployments and Services with the label gateway.networking.k8s.io/gateway-name of the platform's Gateways, "
    "and their EndpointSlices.",
    why="Without a pod nobody is answered, while the Gateway itself still says that it is programmed.",
    mend="Scale the Deployment up, or look why its pods do not become ready.",
    covers=("5. Gateway API", "Ingress"),
    after=("MAAS-300",),  # pods of this Deployment that fail are known by their names
)
def running(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gateways = ours.gateways(facts, asked.namespace)
    for gateway in gateways:
        yield _running(facts, gateway)
    if not gateways:
        yield skipped("there is no gateway: MAAS-300")


def _running(facts: Facts, gateway: Object) -> Outcome:
    deployments = [
        each
        for each in facts.all(kinds.DEPLOYMENT)
        if namespace(each) == namespace(gateway) and label(each, ends.GATEWAY) == name(gateway)
    ]
    about, services = ours.shown(kinds.GATEWAY, gateway), ends.services_of(facts, gateway)
    for deployment in deployments:
        if short := shortage(deployment):
            return _short(deployment, short, about)
    empty = [each for each in services if mapping(each, "spec", "selector") and not ready_endpoints(facts, each)]
    if empty:
        return _empty(empty[0], about)
    if not deployments and not services:
        return skipped(f"no Deployment and no Service carries the name of {about}")
    return passed(f"{_named(deployments or services)} behind {about}", about=about)


def _named(objects: Sequence[Object]) -> str:
    return ", ".join(map(name, objects))


def _short(deployment: Object, short: str, about: str) -> Outcome:
    shown, where = ours.shown(kinds.DEPLOYMENT, deployment), namespace(deployment)
    if number(deployment, "spec", "replicas") == 0:
        change = Change(Verb.patch, kinds.DEPLOYMENT, name(deployment), where, {"spec": {"replicas": 1}})
        remedy = Remedy("Scale it up.", changes=(change,))
        return failed(f"{shown} is {short}", Seen(shown, "spec.replicas", "0"), remedy=remedy, about=about)
    command = f"kubectl describe pods -n {word(where)} -l {word(f'{ends.GATEWAY}={label(deployment, ends.GATEWAY)}')}"
    remedy = Remedy("Look at why its pods do not become ready.", (command,))
    seen = Seen(shown, "status.availableReplicas", str(number(deployment, "status", "availableReplicas") or 0))
    return failed(f"{shown}: {short}", seen, remedy=remedy, about=about)


def _empty(service: Object, about: str) -> Outcome:
    shown = ours.shown(kinds.SERVICE, service)
    command = f"kubectl get pods,endpointslices -n {word(namespace(service))} -l "
    remedy = Remedy("Look at its pods.", (command + word(f"{ends.GATEWAY}={label(service, ends.GATEWAY)}"),))
    return failed(f"{shown} has no ready endpoint", Seen(shown, "endpoints", "0"), remedy=remedy, about=about)
