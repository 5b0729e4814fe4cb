"""Kuadrant, or Red Hat Connectivity Link (RHCL): who may call, and how often.

Its operator looks for Gateway API, Istio and cert-manager once, when it starts.
"""

from maas.cluster.components import olm
from maas.cluster.components.charts import crd_served, fitting, its_namespace, runs
from maas.cluster.components.state import Installation, crd, deployments, environment, installation
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.kinds import (
    AUTHORINO,
    CERTIFICATE,
    DEPLOYMENT,
    HTTP_ROUTE,
    KUADRANT,
    LIMITADOR,
    PEER_AUTHENTICATION,
    POD,
)
from maas.cluster.objects import Object, name, namespace, text
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Chart, Restart, Step, Wait
from maas.cluster.wanted import KUADRANT as NAMESPACE
from maas.cluster.wanted import PART_OF, Site

OPERATOR = "kuadrant-operator-controller-manager"
DNS_OPERATOR = "dns-operator-controller-manager"  # MaaS asks nothing of it
PARTS = ("authorino-operator", "limitador-operator-controller-manager", DNS_OPERATOR)
DATA_PLANE = ("authorino", "limitador-limitador")
CONTROLLERS_VARIABLE = "ISTIO_GATEWAY_CONTROLLER_NAMES"
# What the gateway does with a request where Limitador does not answer: "allow", the default, or "deny" (v1.5.2,
# internal/wasm/utils.go). Denied is what is asked before a request: by RateLimitPolicies, and by TokenRateLimitPolicies
# (CHECK). Tokens are reported (RATELIMIT_REPORT_SERVICE_FAILURE_MODE) when an answer has been produced: to deny then
# would end a good answer with a 500 (wasm-shim v0.14.1, src/kuadrant/pipeline/tasks/failure_mode.rs), for no gain.
FAIL_CLOSED = {"RATELIMIT_SERVICE_FAILURE_MODE": "deny", "RATELIMIT_CHECK_SERVICE_FAILURE_MODE": "deny"}
_CONTAINER = "manager"  # of its operator, in its chart


def operator_deployments(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return deployments(facts, OPERATOR)


def operators(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.RHCL, olm.KUADRANT)


def installations(facts: Facts) -> list[Installation]:
    """Raises NotRead."""
    by_olm = operators(facts)
    mine = {each.namespace for each in by_olm}
    return [each.installation for each in by_olm] + [
        installation(each) for each in operator_deployments(facts) if namespace(each) not in mine
    ]


def instances(facts: Facts) -> list[Object]:
    """Kuadrant objects: the operator takes one, and ignores the others. Raises NotRead."""
    return list(facts.all(KUADRANT))


def authorinos(facts: Facts, in_namespace: str) -> list[Object]:
    """Raises NotRead."""
    return [each for each in facts.all(AUTHORINO) if namespace(each) == in_namespace]


def limitadors(facts: Facts, in_namespace: str) -> list[Object]:
    """Raises NotRead."""
    return [each for each in facts.all(LIMITADOR) if namespace(each) == in_namespace]


def fails_closed(operator: Object) -> bool:
    """Whether who has a limit is refused while Limitador is down."""
    known = environment(operator)
    return all(known.get(variable) == mode for variable, mode in FAIL_CLOSED.items())


def gateway_controllers(operator: Object) -> set[str]:
    """Those whose gateways it takes for Istio's."""
    named = environment(operator).get(CONTROLLERS_VARIABLE, "")
    return {each.strip() for each in named.split(",") if each.strip()} or {"istio.io/gateway-controller"}


_SEEN_AT_START = ("gateway-api", "cert-manager", "istio")


def steps(site: Site) -> list[Step]:
    return [_operator(site), instance()]


def _operator(site: Site) -> Step:
    number = fitting("kuadrant", site)
    chart = Chart("kuadrant-operator", NAMESPACE, "kuadrant-operator", number, "https://kuadrant.io/helm-charts/")
    return Step(
        "kuadrant-operator",
        f"Kuadrant {number}",
        "it asks for API keys at the gateway and counts requests and tokens",
        # A sidecar there would keep its pods from starting; nothing in this namespace is in the mesh.
        actions=(its_namespace(NAMESPACE, {"istio-injection": "disabled"}), chart, _closed()),
        waits=(
            crd_served(KUADRANT.plural, KUADRANT.group),
            *(runs(name, NAMESPACE) for name in (OPERATOR, *PARTS)),
        ),
        needs=_SEEN_AT_START,
        undo=f"helm uninstall kuadrant-operator -n {NAMESPACE}   # with its CRDs, and so every policy and every limit",
        affects="policies are not updated while its operator restarts; what is enforced stays enforced",
    )


def _closed() -> Apply:
    """The chart has no value for it. That its pods change starts the operator anew."""
    env = [{"name": variable, "value": mode} for variable, mode in FAIL_CLOSED.items()]
    spec = {"template": {"spec": {"containers": [{"name": _CONTAINER, "env": env}]}}}
    metadata = {"name": OPERATOR, "namespace": NAMESPACE}
    object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    return Apply(object, adopt=True, brought=True)


def instance(namespace: str = NAMESPACE, needs: tuple[str, ...] = ("kuadrant-operator", *_SEEN_AT_START)) -> Step:
    """The Kuadrant object, of which the operator makes Authorino and Limitador. For both targets."""
    metadata = {"name": "kuadrant", "namespace": namespace, "labels": {PART_OF: "maas"}}
    object = {"apiVersion": "kuadrant.io/v1beta1", "kind": "Kuadrant", "metadata": metadata, "spec": {}}
    restart = Restart(
        DEPLOYMENT,
        OPERATOR,
        namespace,
        "it looks for Gateway API, Istio and cert-manager only when it starts",
        after=_SEEN_AT_START,
        spared=("kuadrant-operator",),
        stale=has_not_looked,
    )
    ready = conditions.true("Ready")
    return Step(
        "kuadrant",
        "Kuadrant's services",
        "Authorino checks keys, Limitador counts",
        actions=(restart, Apply(object)),
        waits=(
            Wait(KUADRANT, "kuadrant", namespace, ready, f"Kuadrant {namespace}/kuadrant is Ready"),
            *(runs(name, namespace) for name in DATA_PLANE),
        ),
        needs=needs,
        undo=f"kubectl delete kuadrant kuadrant -n {namespace}",
    )


def has_not_looked(facts: Facts) -> bool:
    """Whether one of the kinds that its operator looks for at its start came after its newest pod."""
    try:
        pods = [each for each in facts.all(POD) if name(each).startswith(f"{OPERATOR}-")]
        kinds = [crd(facts, kind) for kind in (HTTP_ROUTE, PEER_AUTHENTICATION, CERTIFICATE)]
    except NotRead:
        return False
    started = max((text(each, "status", "startTime") for each in pods), default="")
    return bool(started) and any(text(each, "metadata", "creationTimestamp") > started for each in kinds if each)
