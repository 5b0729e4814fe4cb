"""Kuadrant, or Red Hat Connectivity Link (RHCL): who may call, and how often.

Its operator looks for Gateway API, Istio and cert-manager once, when it starts.
"""

from maas.cluster.components import olm
from maas.cluster.components.state import Installation, deployments, environment, installation
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import AUTHORINO, KUADRANT, LIMITADOR
from maas.cluster.objects import Object, namespace

OPERATOR = "kuadrant-operator-controller-manager"
DNS_OPERATOR = "dns-operator-controller-manager"  # MaaS asks nothing of it
PARTS = ("authorino-operator", "limitador-operator-controller-manager", DNS_OPERATOR)
DATA_PLANE = ("authorino", "limitador-limitador")
CONTROLLERS_VARIABLE = "ISTIO_GATEWAY_CONTROLLER_NAMES"


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


def gateway_controllers(operator: Object) -> set[str]:
    """Those whose gateways it takes for Istio's."""
    named = environment(operator).get(CONTROLLERS_VARIABLE, "")
    return {each.strip() for each in named.split(",") if each.strip()} or {"istio.io/gateway-controller"}
