"""Node Feature Discovery on OpenShift: it labels the nodes that have a GPU, which the GPU Operator goes by.

On Kubernetes, the GPU Operator's chart brings it.
"""

from maas.cluster.components import olm, olm_install
from maas.cluster.kinds import NODE_FEATURE_DISCOVERY
from maas.cluster.objects import mapping
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Step, Wait
from maas.cluster.wanted import Site

_NAME = "nfd-instance"
# Classes of PCI devices: 03 are display controllers, 12 processing accelerators.
_SOURCES = 'sources:\n  pci:\n    deviceClassWhitelist: ["03", "12"]\n    deviceLabelFields: [vendor]\n'
_OPERAND = {"servicePort": 12000}


def steps(site: Site) -> list[Step]:
    operator = olm_install.Operator(
        olm.NFD,
        "nfd-operator",
        "it tells which nodes have a GPU",
        owns=(NODE_FEATURE_DISCOVERY,),
        deployments=("nfd-controller-manager",),
    )
    return [olm_install.step(site, operator), _instance(site)]


def _instance(site: Site) -> Step:
    """As the operator's own example has it, whose image fits the operator; with the labels that are gone by."""
    where = olm.NFD.namespace
    example = site.operators[olm.NFD.name].example
    spec = {"operand": {**_OPERAND, **mapping(example, "operand")}, "workerConfig": {"configData": _SOURCES}}
    return Step(
        "nfd",
        "Node Feature Discovery on every node",
        "nodes are labelled with the devices they have",
        actions=(olm_install.operand("nfd.openshift.io/v1", NODE_FEATURE_DISCOVERY.name, _NAME, spec, where),),
        waits=(
            Wait(
                NODE_FEATURE_DISCOVERY,
                _NAME,
                where,
                conditions.true("Available"),
                f"NodeFeatureDiscovery {where}/{_NAME} is Available",
            ),
        ),
        needs=("nfd-operator",),
        undo=f"oc delete nodefeaturediscovery {_NAME} -n {where}",
    )
