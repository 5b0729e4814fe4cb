"""How Istio is to run the gateway: two of it, on two nodes where there are two, and never none.

In a ConfigMap that the Gateway refers to, which Istio reads since 1.26. OpenShift's own gateway is its operator's to
run, and an older Istio would refuse the reference: both run one pod, as they do by themselves.
"""

from maas.cluster.components.charts import fitting
from maas.cluster.components.versions import at_least, version
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, Mesh, Wanted

NAME = f"{GATEWAY}-pods"
_SINCE = (1, 26)
_DEPLOYMENT = f"""\
spec:
  replicas: 2
  template:
    spec:
      securityContext:
        seccompProfile:
          type: RuntimeDefault
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: ScheduleAnyway
        labelSelector:
          matchLabels:
            gateway.networking.k8s.io/gateway-name: {GATEWAY}
"""
_BUDGET = "spec:\n  minAvailable: 1\n"


def config_map(wanted: Wanted) -> Body | None:
    if not _read_by(wanted):
        return None
    data = {"deployment": _DEPLOYMENT, "podDisruptionBudget": _BUDGET}
    return made("v1", "ConfigMap", NAME, wanted.namespace, data=data)


def _read_by(wanted: Wanted) -> bool:
    site = wanted.site
    found = version(site.versions.get("istio") or fitting("istio", site))
    return site.mesh is Mesh.istio and found is not None and at_least(found, _SINCE)


def infrastructure(wanted: Wanted) -> Body:
    """Of the Gateway's spec. Service Mesh 2 lets the router reach only those pods of its members that are labelled."""
    if wanted.site.mesh is Mesh.service_mesh_2:
        return {"infrastructure": {"labels": {"maistra.io/expose-route": "true"}}}
    if not _read_by(wanted):
        return {}
    return {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": NAME}}}
