"""The Services that routes lead to: there, with endpoints, and with ports that mean the same to everybody."""

from collections.abc import Iterator

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, annotation, at, items, label, mapping, name, namespace, number, text
from maas.cluster.shell import scalar, word
from maas.cluster.stack import ours
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped

_COVERS = ("Issue 3: KServe Headless Service Issues", "Ports")


@check(
    "MAAS-350",
    "models' Services translate their ports",
    Category.models,
    phases=AFTER,
    severity=Severity.warning,
    wanted="a cluster IP, or the same port and targetPort",
    looks="Services of models with clusterIP None, and their ports.",
    why="A headless Service translates no ports: who calls its name on port 80 finds nothing there. Istio's gateways "
    "reach the pods all the same.",
    mend="OpenShift AI: set rawDeploymentServiceConfig: Headed. Elsewhere: add a Service with a cluster IP.",
    covers=_COVERS,
    after=("MAAS-403",),
)
def headless(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = [service for service in facts.all(kinds.SERVICE) if _model_of(service)]
    bad = [service for service in found if text(service, "spec", "clusterIP") == "None" and _translated(service)]
    for service in bad[:5]:
        about, (port, target) = ours.shown(kinds.SERVICE, service), _translated(service)[0]
        said = f"is headless: clients of its name must use port {target}, not {port}"
        seen = Seen(about, "spec.clusterIP", "None"), Seen(about, "spec.ports", f"{port} -> {target}")
        yield failed(said, *seen, remedy=_headed(facts, service, port, target), about=about)
    if not bad:
        yield passed(f"{len(found)} Services of models") if found else skipped("no model has a Service")


def _translated(service: Object) -> list[tuple[int, str]]:
    """Ports that differ from where they lead to. A target by name is looked for by nobody here."""
    ports = [(number(port, "port"), at(port, "targetPort")) for port in items(service, "spec", "ports")]
    return [(port, str(target)) for port, target in ports if port is not None and target not in (None, port, str(port))]


def _headed(facts: Facts, service: Object, port: int, target: str) -> Remedy:
    if facts.known(kinds.DATA_SCIENCE_CLUSTER):
        cluster = name(facts.known(kinds.DATA_SCIENCE_CLUSTER)[0])
        patch = '{"spec":{"components":{"kserve":{"rawDeploymentServiceConfig":"Headed"}}}}'
        return Remedy(
            "Let KServe make Services with a cluster IP; create the model anew.",
            (f"kubectl patch datasciencecluster {word(cluster)} --type=merge -p '{patch}'",),
        )
    model = _model_of(service)
    manifest = (
        "apiVersion: v1\nkind: Service\n"
        f"metadata: {{name: {scalar(f'{model}-gateway')}, namespace: {scalar(namespace(service))}}}\n"
        f"spec:\n  selector: {{serving.kserve.io/inferenceservice: {scalar(model)}}}\n"
        f"  ports: [{{port: {port}, targetPort: {target if target.isdigit() else scalar(target)}}}]"
    )
    text = "Add a Service with a cluster IP, and name it in the HTTPRoute."
    return Remedy(text, (f"kubectl apply -f - <<'EOF'\n{manifest}\nEOF",))


@check(
    "MAAS-351",
    "routes lead to Services that have endpoints",
    Category.models,
    phases=AFTER,
    wanted="each backend Service exists, has the port, and at least one ready endpoint",
    looks="backendRefs of the platform's HTTPRoutes, the Services, and their EndpointSlices.",
    why="Without an endpoint the gateway answers 503; without the Service, 500.",
    mend="Correct the name or port in the route; look why the pods are not ready: MAAS-36x.",
    covers=(*_COVERS, "Model Deployment Failures"),
    after=("MAAS-341", "MAAS-360", "MAAS-361", "MAAS-363"),
)
def endpoints(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    routes = ours.routes(facts, ours.gateways(facts, asked.namespace))
    every = {b: route for route in routes for b in ours.backends(route) if b.kind == "Service"}
    stopped = _stopped(facts)
    wanted = {b: route for b, route in every.items() if (b.namespace, b.name) not in stopped}
    if not wanted:
        yield skipped("no route leads to a Service that is to run" if every else "no route leads to a Service")
        return
    bad = [outcome for backend, route in wanted.items() if (outcome := _unreachable(facts, backend, route))]
    yield from bad
    if not bad:
        yield passed(f"{len(wanted)} {'backend has' if len(wanted) == 1 else 'backends have'} endpoints")


def _stopped(facts: Facts) -> set[tuple[str, str]]:
    """The Services of models that somebody has stopped: MAAS-341 tells it."""
    models = [*facts.known(kinds.INFERENCE_SERVICE), *facts.known(kinds.LLM_INFERENCE_SERVICE)]
    off = [each for each in models if annotation(each, "serving.kserve.io/stop") == "true"]
    return {(namespace(each), named) for each in off for named in _services(name(each))}


def _services(model: str) -> tuple[str, ...]:
    return model, f"{model}-predictor", f"{model}-kserve-workload-svc"


def _unreachable(facts: Facts, backend: ours.Target, route: Object) -> Outcome | None:
    about = f"Service {backend.namespace}/{backend.name}"
    service = facts.one(kinds.SERVICE, backend.name, backend.namespace)
    of = f"HTTPRoute {namespace(route)}/{name(route)}"
    if service is None:
        remedy = Remedy(
            "Correct the route, or create the Service.", (f"kubectl get services -n {word(backend.namespace)}",)
        )
        return failed(f"{of} leads to {about}, which does not exist", Seen(about), remedy=remedy, about=about)
    ports = [str(port.get("port")) for port in items(service, "spec", "ports")]
    if backend.section and backend.section not in ports:
        said = f"{of} leads to port {backend.section} of {about}, which has {names(ports) or 'none'}"
        remedy = Remedy("Correct the port in the route.")
        return failed(said, Seen(about, "spec.ports", names(ports)), remedy=remedy, about=about)
    if text(service, "spec", "type") == "ExternalName" or not mapping(service, "spec", "selector"):
        return None
    return None if ready_endpoints(facts, service) else _empty(facts, about, of, service)


def ready_endpoints(facts: Facts, service: Object) -> int:
    """Those that do not say whether they are ready are, as the API has it."""
    slices = [
        each
        for each in facts.all(kinds.ENDPOINT_SLICE)
        if namespace(each) == namespace(service) and label(each, "kubernetes.io/service-name") == name(service)
    ]
    ready = [e for each in slices for e in items(each, "endpoints") if at(e, "conditions", "ready") is not False]
    return len(ready)


def _empty(facts: Facts, about: str, of: str, service: Object) -> Outcome:
    selector = mapping(service, "spec", "selector")
    in_namespace = [pod for pod in facts.known(kinds.POD) if namespace(pod) == namespace(service)]
    pods = [p for p in in_namespace if selector.items() <= mapping(p, "metadata", "labels").items()]
    why = "no pod has the labels that it selects" if not pods else f"none of its {len(pods)} pods is ready"
    chosen = ",".join(f"{key}={value}" for key, value in selector.items())
    remedy = Remedy("Look at the pods.", (f"kubectl get pods -n {word(namespace(service))} -l {word(chosen)}",))
    seen = some(Seen(f"Pod {namespace(pod)}/{name(pod)}", "status.phase", text(pod, "status", "phase")) for pod in pods)
    return failed(f"has no endpoint for {of}: {why}", *seen, remedy=remedy, about=about)


def _model_of(service: Object) -> str:
    selector = mapping(service, "spec", "selector")
    return label(service, "serving.kserve.io/inferenceservice") or text(selector, "serving.kserve.io/inferenceservice")
