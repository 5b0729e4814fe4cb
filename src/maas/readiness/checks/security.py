"""What a model may do to its node and its neighbours: users, privileges, network, and keys in plain sight."""

import re
from collections.abc import Iterator

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, at, flag, items, mapping, namespace, number, place, text, texts
from maas.cluster.shell import scalar
from maas.cluster.stack import ours
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped

_NONE = "no pod of a model runs"
_SECRET_NAME = re.compile(r"(^|[_-])(api[_-]?key|token|secret|password|passwd)$", re.IGNORECASE)
_SECRET_FLAG = re.compile(r"^--(api-key|hf-token|token|password)(=|$)")
_RISKY = frozenset({"ALL", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH", "BPF"})


@check(
    "MAAS-370",
    "models do not run as root",
    Category.security,
    phases=AFTER,
    severity=Severity.warning,
    wanted="runAsNonRoot: true or a user above 0 for every container of a model",
    looks="securityContext of the pods of models and of their containers.",
    why="Whoever breaks out of a container that runs as root is root on the node.",
    mend="Set runAsNonRoot: true and runAsUser; OpenShift does so by itself unless a service account is privileged.",
    covers=("Pod security contexts enforce non-root users",),
)
def non_root(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pods = ours.model_pods(facts)
    bad = [(pod, c, why) for pod in pods for c in _containers(pod) if (why := _root(pod, c))]
    for model in dict.fromkeys(ours.model_of(pod) for pod, _, _ in bad):
        mine = [(pod, c, why) for pod, c, why in bad if ours.model_of(pod) == model]
        said = f"{names(dict.fromkeys(text(c, 'name') for _, c, _ in mine))} may run as root"
        seen = some(Seen(f"Pod {place(pod)}", f"{text(c, 'name')}.securityContext", why) for pod, c, why in mine)
        yield failed(said, *seen, remedy=_CONTEXT, about=model)
    if not bad:
        yield passed(f"none of {len(pods)} pods") if pods else skipped(_NONE)


_CONTEXT = Remedy(
    "Add to the predictor's container:\n"
    "securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]},\n"
    "  seccompProfile: {type: RuntimeDefault}}",
)


def _root(pod: Object, container: Object) -> str:
    """Why it may be root; "" if it cannot be."""
    user = number(container, "securityContext", "runAsUser")
    user = number(pod, "spec", "securityContext", "runAsUser") if user is None else user
    non_root = at(container, "securityContext", "runAsNonRoot")
    non_root = at(pod, "spec", "securityContext", "runAsNonRoot") if non_root is None else non_root
    if user == 0:
        return "runAsUser is 0"
    return "" if user or non_root is True else "neither runAsNonRoot nor runAsUser is set"


@check(
    "MAAS-371",
    "models have no privileges",
    Category.security,
    phases=AFTER,
    severity=Severity.warning,
    wanted="not privileged, no privilege escalation, no added capabilities, a seccomp profile, nothing of the node",
    looks="securityContext, hostNetwork, hostPID, hostIPC and hostPath volumes of models' pods.",
    why="A privileged container is the node. Models load files of strangers; they need none of it.",
    mend="Set allowPrivilegeEscalation: false, capabilities.drop: [ALL], seccompProfile RuntimeDefault.",
    covers=("Pod security contexts enforce non-root users",),
)
def privileges(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pods = ours.model_pods(facts)
    by_model: dict[str, list[tuple[Object, str]]] = {}
    for pod in pods:
        for what in _privileges(pod):
            by_model.setdefault(ours.model_of(pod), []).append((pod, what))
    for model, found in by_model.items():
        said = f"{names(dict.fromkeys(what for _, what in found))}"
        yield failed(
            said, *some(Seen(f"Pod {place(pod)}", value=what) for pod, what in found), remedy=_CONTEXT, about=model
        )
    if not by_model:
        yield passed(f"none of {len(pods)} pods has any") if pods else skipped(_NONE)


def _privileges(pod: Object) -> Iterator[str]:
    for host in ("hostNetwork", "hostPID", "hostIPC"):
        if flag(pod, "spec", host):
            yield host
    if any(mapping(volume, "hostPath") for volume in items(pod, "spec", "volumes")):
        yield "a hostPath volume"
    profile = text(pod, "spec", "securityContext", "seccompProfile", "type")
    for container in _containers(pod):
        context, called = mapping(container, "securityContext"), text(container, "name")
        if flag(context, "privileged"):
            yield f"{called} is privileged"
        if at(context, "allowPrivilegeEscalation") is not False:
            yield f"{called} may gain privileges (allowPrivilegeEscalation)"
        if added := _RISKY.intersection(cap.removeprefix("CAP_") for cap in texts(context, "capabilities", "add")):
            yield f"{called} has {names(sorted(added))}"
        if (text(context, "seccompProfile", "type") or profile) in ("", "Unconfined"):
            yield f"{called} has no seccomp profile"


@check(
    "MAAS-372",
    "network policies shield the models",
    Category.security,
    phases=AFTER,
    severity=Severity.warning,
    wanted="a NetworkPolicy that restricts who may reach the models' pods",
    looks="NetworkPolicies with Ingress in the namespaces of models, and the pods that they select.",
    why="Without one every pod of the cluster may call a model directly, past keys and limits.",
    mend="Allow only the gateway's pods to reach the models' pods.",
    covers=("Network policies restrict inter-namespace communication",),
)
def shielded(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    where = sorted({namespace(model) for _, model in ours.models(facts)})
    policies = facts.all(kinds.NETWORK_POLICY)
    bare = [each for each in where if not any(namespace(p) == each and _restricts(p) for p in policies)]
    for each in bare:
        said = f"the namespace {each} has no NetworkPolicy: its models can be called past the gateway"
        yield failed(said, Seen(f"Namespace {each}"), remedy=_policy(facts, asked, each), about=each)
    if not bare:
        yield passed(f"{names(where)}") if where else skipped("no model is deployed: MAAS-340")


def _restricts(policy: Object) -> bool:
    kinds_of = texts(policy, "spec", "policyTypes")
    return "Ingress" in kinds_of or not kinds_of


def _policy(facts: Facts, asked: Asked, where: str) -> Remedy:
    gateways = {namespace(each) for each in ours.gateways(facts, asked.namespace)} or {where}
    sources = "\n".join(
        f"    - namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {scalar(each)}}}}}"
        for each in sorted(gateways)
    )
    manifest = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: models-from-gateway, namespace: {scalar(where)}}}\n"
        "spec:\n  podSelector:\n    matchExpressions:\n"
        "    - {key: serving.kserve.io/inferenceservice, operator: Exists}\n"
        f"  policyTypes: [Ingress]\n  ingress:\n  - from:\n{sources}"
    )
    return Remedy(
        "Let only the gateway in.", (f"kubectl apply -f - <<'EOF'\n{manifest}\nEOF",), step="network policies"
    )


@check(
    "MAAS-373",
    "no key stands in a pod's environment or arguments",
    Category.security,
    phases=AFTER,
    severity=Severity.warning,
    wanted="secrets by valueFrom.secretKeyRef, not as values",
    looks="env and args of models' pods whose name says that they are a key, token or password. Never the value.",
    why="Whoever may read pods, and every copy of a manifest, has the key.",
    mend="Put it into a Secret, and refer to that.",
    covers=("Security Considerations",),
)
def plain_keys(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pods = ours.model_pods(facts)
    found = [(pod, where) for pod in pods for c in _containers(pod) for where in _plain_keys(c)]
    for model in dict.fromkeys(ours.model_of(pod) for pod, _ in found):
        mine = [(pod, where) for pod, where in found if ours.model_of(pod) == model]
        said = f"{names(dict.fromkeys(where for _, where in mine))} holds a value in plain sight"
        remedy = Remedy("Refer to a Secret: valueFrom: {secretKeyRef: {name: NAME, key: KEY}}.")
        yield failed(said, *some(Seen(f"Pod {place(pod)}", where) for pod, where in mine), remedy=remedy, about=model)
    if not found:
        yield passed(f"none in {len(pods)} pods") if pods else skipped(_NONE)


def _plain_keys(container: Object) -> Iterator[str]:
    for variable in items(container, "env"):
        if _SECRET_NAME.search(text(variable, "name")) and text(variable, "value"):
            yield f"env {text(variable, 'name')}"
    for argument in (*texts(container, "args"), *texts(container, "command")):
        if flag_ := _SECRET_FLAG.match(argument):
            yield f"argument --{flag_[1]}"


def _containers(pod: Object) -> list[Object]:
    return [*items(pod, "spec", "initContainers"), *items(pod, "spec", "containers")]
