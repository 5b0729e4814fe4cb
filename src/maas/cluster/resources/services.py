"""A Service with an address for each model, which routes lead to.

KServe has one of its own, but headless where it comes with OpenShift AI, and elsewhere if its ConfigMap says so: then
it does not translate ports, and a gateway that resolves names finds nobody at 80. One of ours is there in any case, so
routes are the same everywhere, and they are accepted before a model is up.
"""

from maas.cluster.resources import names
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model

PORT = 8080  # of every model's server
INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
EXTERNAL = "maas.io/external-model"


def services(wanted: Wanted) -> list[Body]:
    return [_service(wanted, model) for model in names.models(wanted)]


def selector(model: Model) -> dict[str, str]:
    """Of the pods that serve it, or that speak to who does."""
    name = names.object_name(model.name)
    return {EXTERNAL: name} if model.runtime == "external" else {INFERENCE_SERVICE: name, "component": "predictor"}


def _service(wanted: Wanted, model: Model) -> Body:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": PORT, "appProtocol": "http"}]
    spec = {"type": "ClusterIP", "selector": selector(model), "ports": ports}
    return made("v1", "Service", names.service(model), wanted.namespace, spec=spec)
