"""OpenShift AI for its KServe alone: its operator, and one DataScienceCluster with everything else left out.

The operator would make a DSCInitialization of its own at its start, which on 2.x asks for Service Mesh 2; it is told
not to, for two writers of one field is one too many. On 2.x, KServe runs without Knative (RawDeployment), and with
neither Serverless nor a service mesh. Models get Services with an address (Headed): clients that go by DNS names need
it.
"""

from typing import Any

from maas.cluster.components import olm, olm_install
from maas.cluster.components.charts import crd_served, runs
from maas.cluster.components.kserve import CONTROLLER
from maas.cluster.components.rhoai import APPLICATIONS, bad_conditions
from maas.cluster.components.versions import at_least, version
from maas.cluster.kinds import DATA_SCIENCE_CLUSTER, DSC_INITIALIZATION, INFERENCE_SERVICE
from maas.cluster.objects import Object, is_true, text
from maas.cluster.plan.model import Action, Seen, Stage, Step, Wait
from maas.cluster.wanted import Serving, Site

_SETUP, _CLUSTER = "default-dsci", "default-dsc"
_PATIENCE = 900.0  # seconds
_MONITORED = "openshift.io/cluster-monitoring"


def steps(site: Site) -> list[Step]:
    return ([_operator(site)] if olm.RHOAI.name in site.operators else []) + [_data_science_cluster(site)]


def _operator(site: Site) -> Step:
    operator = olm_install.Operator(
        olm.RHOAI,
        "rhoai-operator",
        "it brings KServe, and looks after it",
        # On managed clusters, a webhook denies this label to customers.
        labels={} if site.managed in ("rosa", "osd") else {_MONITORED: "true"},
        environment={"DISABLE_DSC_CONFIG": "true"},
        owns=(DSC_INITIALIZATION, DATA_SCIENCE_CLUSTER),
        deployments=("rhods-operator",),
    )
    return olm_install.step(site, operator)


def _data_science_cluster(site: Site) -> Step:
    where = APPLICATIONS[site.serving is Serving.odh]
    return Step(
        "rhoai",
        "KServe, by OpenShift AI",
        "it turns models into Deployments and Services",
        actions=(_setup(site, where), _cluster(site)),
        waits=(
            _wait(DSC_INITIALIZATION.name, _SETUP),
            _wait(DATA_SCIENCE_CLUSTER.name, _CLUSTER),
            crd_served(INFERENCE_SERVICE.plural, INFERENCE_SERVICE.group),
            runs(CONTROLLER, where),
        ),
        needs=("rhoai-operator", "cert-manager", "serverless"),
        undo=f"oc delete datasciencecluster {_CLUSTER}; oc delete dscinitialization {_SETUP}",
        affects="models stay up; new ones wait while KServe restarts",
    )


def _is_2(site: Site) -> bool:
    """Open Data Hub has both; without a version, what is newer is assumed."""
    known = version(site.versions.get("rhoai", ""))
    return site.serving is Serving.rhoai_2 or (
        site.serving is Serving.odh and known is not None and not at_least(known, (3,))
    )


def _setup(site: Site, applications: str) -> Action:
    spec: dict[str, Any] = {"applicationsNamespace": applications, "monitoring": {"managementState": "Removed"}}
    spec |= {"serviceMesh": {"managementState": "Removed"}} if _is_2(site) else {}
    api = f"{DSC_INITIALIZATION.group}/{_api(site)}"
    return olm_install.operand(api, DSC_INITIALIZATION.name, _SETUP, spec)


def _cluster(site: Site) -> Action:
    kserve: dict[str, Any] = {"managementState": "Managed", "rawDeploymentServiceConfig": "Headed"}
    if _is_2(site):
        kserve |= {"defaultDeploymentMode": "RawDeployment", "serving": {"managementState": "Removed"}}
    api = f"{DATA_SCIENCE_CLUSTER.group}/{_api(site)}"
    return olm_install.operand(api, DATA_SCIENCE_CLUSTER.name, _CLUSTER, {"components": {"kserve": kserve}})


def _api(site: Site) -> str:
    return "v1" if _is_2(site) else "v2"


def _wait(kind: str, name: str) -> Wait:
    of = DATA_SCIENCE_CLUSTER if kind == DATA_SCIENCE_CLUSTER.name else DSC_INITIALIZATION
    return Wait(of, name, "", ready, f"{kind} {name} is Ready", _PATIENCE)


def ready(object: Object | None) -> Seen:
    """By its phase, or the condition of that name; else with what the specific conditions complain of."""
    if object is None:
        return Seen(Stage.waiting, "it is not there yet")
    if text(object, "status", "phase") == "Ready" or is_true(object, "Ready"):
        return Seen(Stage.done)
    told = [
        ": ".join(filter(None, (text(each, key) for key in ("type", "reason", "message"))))
        for each in bad_conditions(object)
    ]
    phase = text(object, "status", "phase")
    return Seen(Stage.waiting, "; ".join(told[:3]) or f"its phase is {phase or 'not set yet'}")
