"""Gateway API: three CRDs that everything else needs, and who may touch them.

From OpenShift 4.19 on, the ingress operator owns them, and an admission policy forbids everybody else to write them.
"""

from functools import partial

from maas.cluster.components.charts import crd_served, fitting
from maas.cluster.components.state import By, crd, installed_by
from maas.cluster.components.versions import at_least, openshift
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_OPERATOR, GATEWAY, GATEWAY_CLASS, HTTP_ROUTE, VALIDATING_POLICY
from maas.cluster.objects import Object, annotation, text
from maas.cluster.plan.model import Manifest, Step
from maas.cluster.wanted import Site

KINDS = (GATEWAY_CLASS, GATEWAY, HTTP_ROUTE)
OPENSHIFT_FLOOR = (4, 19)  # from here on, the platform brings it
CRD_POLICY = "openshift-ingress-operator-gatewayapi-crd-admission"
UPGRADE_POLICY = "safe-upgrades.gateway.networking.k8s.io"
BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version"
CHANNEL = "gateway.networking.k8s.io/channel"
ISTIO_CONTROLLER = "istio.io/gateway-controller"
OPENSHIFT_CONTROLLER = "openshift.io/gateway-controller/v1"
# What the ingress operator of an OpenShift minor version brings (its branch heads, not its patch releases).
OPENSHIFT_BUNDLES = {(4, 19): (1, 2, 1), (4, 20): (1, 2, 1), (4, 21): (1, 3, 0), (4, 22): (1, 4, 1)}


def built_in(facts: Facts) -> bool:
    """Whether the platform owns it. Raises NotRead."""
    version = openshift(facts)
    return version is not None and at_least(version, OPENSHIFT_FLOOR)


def crds(facts: Facts) -> dict[str, Object | None]:
    """By kind. Raises NotRead."""
    return {kind.name: crd(facts, kind) for kind in KINDS}


def bundle_version(crd: Object) -> str:
    return annotation(crd, BUNDLE_VERSION)


def channel(crd: Object) -> str:
    return annotation(crd, CHANNEL)


def owner(facts: Facts, crd: Object) -> By:
    """Raises NotRead."""
    return By.platform if built_in(facts) else installed_by(crd)


def missing(facts: Facts) -> list[str]:
    """The kinds that are not served as v1, which is what makes a CRD established. Raises NotRead."""
    return [kind.name for kind in KINDS if "v1" not in facts.served_versions(kind)]


def policy(facts: Facts, name: str) -> Object | None:
    """Raises NotRead."""
    return facts.one(VALIDATING_POLICY, name)


def ingress_operator(facts: Facts) -> Object | None:
    """Raises NotRead."""
    return facts.one(CLUSTER_OPERATOR, "ingress")


def wanted_controller(facts: Facts) -> str:
    """Raises NotRead."""
    return OPENSHIFT_CONTROLLER if built_in(facts) else ISTIO_CONTROLLER


def classes(facts: Facts, controller: str) -> list[Object]:
    """GatewayClasses of this controller. Raises NotRead."""
    return [each for each in facts.all(GATEWAY_CLASS) if text(each, "spec", "controllerName") == controller]


def steps(site: Site) -> list[Step]:
    """Of the release's own file: some of its CRDs are too large for client-side apply, and it has no chart."""
    number = fitting("gateway-api", site)
    url = f"https://github.com/kubernetes-sigs/gateway-api/releases/download/v{number}/standard-install.yaml"
    last = frozenset(kind.key for kind in KINDS)
    manifest = Manifest(f"gateway-api-{number}.yaml", url, last=last, done=partial(_applied, number))
    return [
        Step(
            "gateway-api",
            f"Gateway API {number}",
            "gateways and routes are written in its kinds; Istio and Kuadrant look for them when they start",
            actions=(manifest,),
            waits=tuple(crd_served(kind.plural, kind.group) for kind in KINDS),
            undo=f"kubectl delete -f {url}",
        )
    ]


def _applied(number: str, facts: Facts) -> bool:
    """Raises NotRead."""
    return all(each is not None and bundle_version(each) == f"v{number}" for each in crds(facts).values())
