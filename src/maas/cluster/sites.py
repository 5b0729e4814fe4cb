"""What a cluster makes of the platform: whose gateway, whose KServe, which GPUs, under which domain.

`of` reads it from facts, `assumed` takes what is usual where there is no cluster to look at: whatever makes steps and
objects sees the same kind of value, and need not know which.
"""

from collections.abc import Iterator, Mapping, Sequence

from maas.cluster.components import gateway_api, installed, kserve, offers, olm, rhoai, serverless, service_mesh, theirs
from maas.cluster.components.versions import Version, at_least, kubernetes, openshift, written
from maas.cluster.facts.model import Facts, NotRead, Unread
from maas.cluster.gpus import GpuNode, held_by_models, only_hardware, unrequested, with_gpus
from maas.cluster.kinds import GATEWAY, INGRESS_CONFIG, INGRESS_CONTROLLER, STORAGE_CLASS
from maas.cluster.nodes import TOLERATES_GPU, is_usable
from maas.cluster.objects import Object, annotation, items, label, name, namespace, text
from maas.cluster.platform import is_openshift, managed
from maas.cluster.wanted import GATEWAY as OUR_GATEWAY
from maas.cluster.wanted import NAMESPACE, GpuKind, Mesh, Serving, Site, Target
from maas.models.gpus import of_product
from maas.models.sizing.fit import Device

_LOCAL = "maas.local"
_ASSUMED_OPENSHIFT, _ASSUMED_KUBERNETES = "4.20", {Target.openshift: "1.33", Target.kubernetes: "1.34"}
_OPENSHIFT_AI_3 = (4, 19, 9)  # the oldest OpenShift that carries it
_PRODUCT, _PRESENT = "nvidia.com/gpu.product", "nvidia.com/gpu.present"
_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_MESHES = {
    service_mesh.Mesh.upstream: Mesh.istio,
    service_mesh.Mesh.built_in: Mesh.built_in,
    service_mesh.Mesh.service_mesh_3: Mesh.service_mesh,
    service_mesh.Mesh.service_mesh_2: Mesh.service_mesh_2,
}


def of(facts: Facts, in_namespace: str = NAMESPACE, target: Target | None = None, *, upgrade: bool = False) -> Site:
    """target: where it is not to be told from the cluster. upgrade: operators of ours may move to newer channels.

    Raises NotRead where what everything hangs on is unknown.
    """
    target = target or (Target.openshift if is_openshift(facts) else Target.kubernetes)
    on_openshift = target is Target.openshift
    mesh, serving = _engines(facts, target)
    gateway_class, controller = _class(facts, mesh)
    runs_on = managed(facts)
    return Site(
        target,
        domain=_domain(facts, in_namespace, on_openshift),
        mesh=mesh,
        serving=serving,
        gateway_class=gateway_class,
        gateway_controller=controller,
        gpus=gpus(facts, in_namespace),
        kubernetes=_minor(kubernetes(facts)),
        openshift=_written(openshift(facts)) if on_openshift else "",
        versions=installed.versions(facts),
        pod_monitors=_has_pod_monitors(facts),
        has_default_storage=any(_is_default(each) for each in facts.known(STORAGE_CLASS)),
        theirs=installed.theirs_on_openshift(facts, mesh) if on_openshift else theirs.on_kubernetes(facts),
        operators=offers.of(facts, mesh, serving, upgrade=upgrade) if on_openshift else {},
        managed=runs_on.name if runs_on and on_openshift else "",
        serverless=on_openshift and serverless.needed(facts),
        control_plane=service_mesh.control_plane_2(facts) if mesh is Mesh.service_mesh_2 else "",
    )


def lacking(facts: Facts, *, gpu_operator: bool, upgrade: bool = False) -> list[str]:
    """The packages of OLM that an installation would ask catalogs for; none where that cannot be told.

    gpu_operator: it is wanted. Where nodes have GPUs that nobody can use, it may be. upgrade: also those of ours that
    are there, which may be had from a newer channel.
    """
    try:
        if not is_openshift(facts):
            return []
        mesh, serving = _engines(facts, Target.openshift)
        found = offers.lacking(facts, mesh, serving, installed.theirs_on_openshift(facts, mesh))
        with_gpus = gpu_operator or any(only_hardware(facts))
        unasked = set() if serverless.needed(facts) else {olm.SERVERLESS.name}
        unasked |= set() if with_gpus else {olm.GPU.name, olm.NFD.name}
        ours = offers.subscribed_by_us(facts, mesh, serving) if upgrade else []
        return [each for each in found if each not in unasked] + ours
    except NotRead:
        return []


def _engines(facts: Facts, target: Target) -> tuple[Mesh, Serving]:
    """Whose Envoy, and whose KServe. Raises NotRead."""
    if target is not Target.openshift:
        return Mesh.istio, Serving.kserve
    return _MESHES[service_mesh.wanted(facts, openshift=True)], _serving(facts)


def assumed(target: Target, gpu: Device | None = None, *, domain: str = "", gpus: int = 1) -> Site:
    """A cluster as they are today, with nothing on it. gpu: what one of its nodes has, `gpus` of them."""
    on_openshift = target is Target.openshift
    mesh = Mesh.built_in if on_openshift else Mesh.istio
    serving = Serving.rhoai if on_openshift else Serving.kserve
    return Site(
        target,
        domain=domain or (f"apps.{_LOCAL}" if on_openshift else _LOCAL),
        mesh=mesh,
        serving=serving,
        gateway_class=_USUAL_CLASS[mesh],
        gateway_controller=_CONTROLLERS[mesh],
        gpus=(GpuKind(gpu, gpus, {_PRESENT: "true"}),) if gpu else (),
        kubernetes=_ASSUMED_KUBERNETES[target],
        openshift=_ASSUMED_OPENSHIFT if on_openshift else "",
        pod_monitors=on_openshift,
        operators=offers.usual(mesh, serving) if on_openshift else {},
    )


_USUAL_CLASS = {
    Mesh.istio: "istio",
    Mesh.built_in: "openshift-default",
    Mesh.service_mesh: "istio",
    Mesh.service_mesh_2: "istio",
}
_CONTROLLERS = {
    each: gateway_api.OPENSHIFT_CONTROLLER if each is Mesh.built_in else gateway_api.ISTIO_CONTROLLER for each in Mesh
}


def _serving(facts: Facts) -> Serving:
    """What is there already goes first; KServe that somebody brought with Helm is KServe on OpenShift as well."""
    packages = {each.package.name for each in rhoai.operators(facts)}
    if packages and olm.RHOAI.name not in packages:
        return Serving.odh
    if packages or rhoai.clusters(facts):
        return Serving.rhoai if rhoai.is_3(facts) else Serving.rhoai_2
    if any(not kserve.of_openshift_ai(each) for each in kserve.controllers(facts)):
        return Serving.kserve
    found = openshift(facts)
    return Serving.rhoai if found is None or at_least(_whole(found), _OPENSHIFT_AI_3) else Serving.rhoai_2


def _whole(found: Version) -> Version:
    """4.19 without a patch release is 4.19.0."""
    return (*found, 0, 0)[:3]


def _class(facts: Facts, mesh: Mesh) -> tuple[str, str]:
    """The GatewayClass and its controller: one that is there, else the usual one."""
    controller = _CONTROLLERS[mesh]
    there = sorted(name(each) for each in gateway_api.classes(facts, controller))
    usual = _USUAL_CLASS[mesh]
    return (usual if usual in there or not there else there[0]), controller


def _domain(facts: Facts, in_namespace: str, on_openshift: bool) -> str:
    """OpenShift's own wildcard; elsewhere that of the gateway which is there already."""
    if on_openshift:
        return _ingress_domain(facts) or _LOCAL
    ours = [each for each in facts.known(GATEWAY) if (namespace(each), name(each)) == (in_namespace, OUR_GATEWAY)]
    wildcards = (text(each, "hostname") for gateway in ours for each in items(gateway, "spec", "listeners"))
    return next((host.removeprefix("*.") for host in wildcards if host.startswith("*.")), _LOCAL)


def _ingress_domain(facts: Facts) -> str:
    config = next((each for each in facts.known(INGRESS_CONFIG) if name(each) == "cluster"), {})
    router = next((each for each in facts.known(INGRESS_CONTROLLER) if name(each) == "default"), {})
    return text(config, "spec", "domain") or text(router, "status", "domain")


def gpus(facts: Facts, in_namespace: str = NAMESPACE) -> tuple[GpuKind, ...]:
    """One for each kind of card that can be had and is known well enough; those with most memory first.

    What our own models hold is free for them; a node that takes no new pods has nothing else. Raises NotRead.
    """
    nodes = [each for each in with_gpus(facts) if each.allocatable and each.memory and each.capability]
    if not nodes:
        return ()
    takes_pods = {each.name for each in nodes if is_usable(each.node, TOLERATES_GPU)}
    free = {on: amount for on, amount in unrequested(facts).items() if on in takes_pods}
    ours = held_by_models(facts, in_namespace)
    left = {each.name: min(free.get(each.name, 0) + ours.get(each.name, 0), each.allocatable) for each in nodes}
    kinds = [_kind(alike, [left[each.name] for each in alike]) for alike in _alike(nodes)]
    return tuple(sorted(kinds, key=lambda kind: (-kind.device.total, kind.device.name)))


def _alike(nodes: Sequence[GpuNode]) -> Iterator[list[GpuNode]]:
    found: dict[tuple[str, int, int | None], list[GpuNode]] = {}
    for each in nodes:
        found.setdefault((each.product, each.memory, each.capability), []).append(each)
    yield from found.values()


def _kind(alike: Sequence[GpuNode], left: Sequence[int]) -> GpuKind:
    first = alike[0]
    known = of_product(first.product)
    device = Device(known.name if known else first.product or "GPU", first.memory, first.capability or 0)
    by_node = tuple(sorted((max(0, each) for each in left), reverse=True))
    return GpuKind(device, by_node[0], _selector(first), by_node)


def _selector(node: GpuNode) -> Mapping[str, str]:
    if node.product:
        return {_PRODUCT: node.product}
    return {_PRESENT: "true"} if label(node.node, _PRESENT) == "true" else {}


def _is_default(storage_class: Object) -> bool:
    return any(annotation(storage_class, key) == "true" for key in _DEFAULT_CLASS)


def _has_pod_monitors(facts: Facts) -> bool:
    apis = {} if isinstance(facts.apis, Unread) else facts.apis
    return any(key.startswith("monitoring.coreos.com/") and "podmonitors" in kinds for key, kinds in apis.items())


def _minor(found: Version | None) -> str:
    return _written(found[:2]) if found else ""


def _written(found: Version | None) -> str:
    return written(found) if found else ""
