"""The GPU operator says "ready" because it found nothing to do."""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb, restart
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_POLICY, DEPLOYMENT, INFERENCE_SERVICE, NODE, NODE_FEATURE_DISCOVERY
from maas.cluster.objects import Object, items, label, name, namespace, text
from maas.readiness.catalogue import BOTH, Asked, Target
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.predictors import uses_gpu
from maas.readiness.signs import called, quoted
from maas.readiness.wording import count

_REASONS = ("NFDLabelsMissing", "NoGPUNodes")
_PCI = tuple(f"feature.node.kubernetes.io/pci-{each}.present" for each in ("10de", "0302_10de", "0300_10de"))
_NFD_HOME = "openshift-nfd"


@known_issue(
    "MAAS-410",
    "the GPU operator is ready because GPUs are, not for want of them",
    sign="ClusterPolicy with state ready and reason NFDLabelsMissing or NoGPUNodes.",
    cause="The operator finds GPU nodes by labels that Node Feature Discovery sets. Without labels it has nothing to "
    "do, and calls that ready: no driver, no device plugin, no GPU.",
    mend="Let Node Feature Discovery run (its operator and a NodeFeatureDiscovery resource, or nfd.enabled in the GPU "
    "operator's chart), or add nodes with GPUs.",
    needs=(CLUSTER_POLICY,),
    phases=BOTH,
    covers=("GPU Not Detected",),
    explains=(
        "MAAS-263",
        "MAAS-264",
        "MAAS-131",
        "MAAS-135",
        "MAAS-138",
    ),
)
def ready_for_nothing(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for policy in facts.all(CLUSTER_POLICY):
        reason = next((r for c in items(policy, "status", "conditions") if (r := text(c, "reason")) in _REASONS), "")
        if text(policy, "status", "state") != "ready" or not reason:
            continue
        seen = Seen(
            called(CLUSTER_POLICY, policy), "status", f"state ready, reason {reason}: {_message(policy, reason)}"
        )
        found = [node for node in facts.all(NODE) if any(label(node, key) == "true" for key in _PCI)]
        message = (
            "the GPU operator says ready, but found no node with a GPU"
            if reason == "NoGPUNodes"
            else "the GPU operator says ready, but no node has the labels of Node Feature Discovery"
        )
        wanted = asked.gpu or found or any(uses_gpu(model) for model in facts.known(INFERENCE_SERVICE))
        say = failed if wanted else warning
        yield say(message, seen, remedy=_remedy(facts, asked, found, reason), about=called(CLUSTER_POLICY, policy))


def _message(policy: Object, reason: str) -> str:
    return next(
        (quoted(text(c, "message")) for c in items(policy, "status", "conditions") if text(c, "reason") == reason), ""
    )


def _remedy(facts: Facts, asked: Asked, found: list[Object], reason: str) -> Remedy:
    operators = [each for each in facts.known(DEPLOYMENT) if name(each) == "gpu-operator"]
    if found and operators:
        why = f"{count(len(found), 'node')} {'has' if len(found) == 1 else 'have'} the labels now"
        return Remedy(
            "Restart the GPU operator: the labels are there now.",
            changes=tuple(restart(DEPLOYMENT, name(each), namespace(each), why=why) for each in operators),
        )
    if reason == "NoGPUNodes":
        return Remedy("Add nodes with GPUs, or do without the operator.", (f"kubectl get nodes -L {_PCI[0]}",))
    if facts.serves(NODE_FEATURE_DISCOVERY) and not facts.all(NODE_FEATURE_DISCOVERY):
        return Remedy(
            "Let Node Feature Discovery run: its operator is there, but nothing asks it to.", changes=(_instance(),)
        )
    if asked.target is Target.openshift:
        return Remedy("Install the Node Feature Discovery operator (package nfd) in openshift-nfd.", step="nfd")
    return Remedy(
        "Let Node Feature Discovery run on the nodes that have GPUs.",
        ("helm upgrade gpu-operator nvidia/gpu-operator -n gpu-operator --reuse-values --set nfd.enabled=true",),
    )


def _instance() -> Change:
    config = 'sources:\n  pci:\n    deviceClassWhitelist: ["03", "12"]\n    deviceLabelFields: [vendor]\n'
    manifest = {
        "apiVersion": f"{NODE_FEATURE_DISCOVERY.group}/v1",
        "kind": "NodeFeatureDiscovery",
        "metadata": {"name": "nfd-instance", "namespace": _NFD_HOME},
        "spec": {"operand": {"servicePort": 12000}, "workerConfig": {"configData": config}},
    }
    return Change(Verb.apply, NODE_FEATURE_DISCOVERY, "nfd-instance", _NFD_HOME, manifest, "it labels the GPU nodes")
