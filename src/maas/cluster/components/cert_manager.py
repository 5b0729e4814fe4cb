"""cert-manager: the webhooks of KServe need its certificates, so it has to be up first."""

from maas.cluster.components import olm
from maas.cluster.components.charts import crd_served, fitting, its_namespace, runs
from maas.cluster.components.state import Installation, installation
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CERTIFICATE, DEPLOYMENT, ISSUER
from maas.cluster.objects import Object, name, namespace
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Chart, Step, Wait
from maas.cluster.wanted import Site

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


NAMESPACE = "cert-manager"


def steps(site: Site) -> list[Step]:
    number = fitting("cert-manager", site)
    chart = Chart("cert-manager", NAMESPACE, "oci://quay.io/jetstack/charts/cert-manager", f"v{number}", values=_VALUES)
    return [
        Step(
            "cert-manager",
            f"cert-manager {number}",
            "it issues the certificates of the gateway and of KServe's webhooks",
            actions=(its_namespace(NAMESPACE), chart),
            waits=(
                crd_served(CERTIFICATE.plural, CERTIFICATE.group),
                *(runs(role, NAMESPACE) for role in ROLES),
                issues(),
            ),
            undo=f"helm uninstall cert-manager -n {NAMESPACE}",
        )
    ]


# Its own check of its start is a hook that Helm waits for without a word; the Issuer that is tried says the same.
_VALUES = {"crds": {"enabled": True, "keep": True}, "startupapicheck": {"enabled": False}}


def issues() -> Wait:
    """Its webhook answers some time after its pods are up: when its authority is written into its configuration."""
    issuer = {
        "apiVersion": "cert-manager.io/v1",
        "kind": ISSUER.name,
        "metadata": {"name": "maas-probe", "namespace": NAMESPACE},
        "spec": {"selfSigned": {}},
    }
    what = "cert-manager's webhook accepts an Issuer (dry run)"
    return Wait(ISSUER, "maas-probe", NAMESPACE, conditions.taken, what, 180.0, issuer)
