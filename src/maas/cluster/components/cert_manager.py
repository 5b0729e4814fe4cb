"""cert-manager: the webhooks of KServe need its certificates, so it has to be up first."""

from maas.cluster.components import olm
from maas.cluster.components.state import Installation, installation
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CERTIFICATE, DEPLOYMENT, ISSUER
from maas.cluster.objects import Object, name, namespace

ROLES = ("cert-manager", "cert-manager-webhook", "cert-manager-cainjector")
_OPERANDS_OF_OLM = "cert-manager"  # the operator for OpenShift puts them into this namespace


def controllers(facts: Facts) -> list[Object]:
    """One for each installation: a Helm release may have given it a prefix. Raises NotRead."""
    return [each for each in facts.all(DEPLOYMENT) if name(each) == ROLES[0] or name(each).endswith(f"-{ROLES[0]}")]


def workloads(facts: Facts, controller: Object) -> dict[str, Object | None]:
    """Its three Deployments by role; None for one that is not there. Raises NotRead."""
    prefix = name(controller).removesuffix(ROLES[0])
    return {role: facts.one(DEPLOYMENT, prefix + role, namespace(controller)) for role in ROLES}


def operators(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.CERT_MANAGER, olm.CERT_MANAGER_COMMUNITY)


def installations(facts: Facts) -> list[Installation]:
    """Raises NotRead."""
    by_olm = operators(facts)
    mine = {_OPERANDS_OF_OLM, *(each.namespace for each in by_olm)} if by_olm else set()
    return [each.installation for each in by_olm] + [
        installation(each) for each in controllers(facts) if not _is_operand(each, mine)
    ]


def _is_operand(controller: Object, namespaces: set[str]) -> bool:
    """Of OLM's installation, unless Helm says that it is its own."""
    return namespace(controller) in namespaces and installation(controller).by != "Helm"


def served(facts: Facts) -> bool:
    """Raises NotRead."""
    return facts.serves(CERTIFICATE) and facts.serves(ISSUER)
