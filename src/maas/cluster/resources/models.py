"""The models: an InferenceService each, which KServe makes a Deployment of.

In Standard mode: a Deployment and a Service are all that a model needs here, since limits and routes are the gateway's;
Knative would start a second way in beside it.
"""

from collections.abc import Iterator

from maas.cluster import kinds
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Step, Wait
from maas.cluster.resources import external, names, options, servers, simulator, vllm
from maas.cluster.resources.making import Body, made
from maas.cluster.resources.servers import Server
from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidInput
from maas.domain.platform import Model

KEY = "models"
EXTERNAL = "external"
# KServe itself gives a model no way in from outside then, whatever its ConfigMap says: nobody would be asked for a key.
_INSIDE = {"networking.kserve.io/visibility": "cluster-local"}
_MODE = "RawDeployment"  # what Standard was called until KServe 0.16, and all versions understand


def steps(wanted: Wanted) -> list[Step]:
    """After the policies of both kinds: until these are there, whoever finds a model needs no key. Raises MaasError."""
    every = names.models(wanted)
    for model in every:
        options.require_known(model)
    here = [(model, server(wanted, model)) for model in every if model.runtime != EXTERNAL]
    elsewhere = [model for model in every if model.runtime == EXTERNAL]
    objects = (
        *(each for model, made_by in here for each in _objects(wanted, model, made_by)),
        *(each for model in elsewhere for each in external.objects(wanted, model)),
    )
    if not every:
        return []
    return [
        Step(
            KEY,
            f"models: {', '.join(model.name for model in every)}",
            "answer the requests",
            tuple(map(Apply, objects)),
            (
                *(_wait(wanted, model, made_by) for model, made_by in here),
                *(external.wait(wanted, model) for model in elsewhere),
            ),
            needs=("namespaces", "kserve", "rhoai", "gpu-operator", "cluster-policy", "policies", "network policies"),
            undo=f"kubectl delete inferenceservices -n {wanted.namespace} -l app.kubernetes.io/managed-by=maas",
            affects="a model whose server changes is restarted; one on a GPU is away until it has loaded again",
        )
    ]


def server(wanted: Wanted, model: Model) -> Server:
    """Raises InvalidInput for what cannot be served on a cluster."""
    match model.runtime:
        case "simulator":
            return simulator.server(wanted, model)
        case "vllm":
            return vllm.server(wanted, model)
    raise InvalidInput(
        f"maas.yaml: models.{model.name}.runtime: {model.runtime} serves on this machine only; on a cluster write"
        " vllm, with weights that are no GGUF file, or external, with the url of a server that runs it"
    )


def _objects(wanted: Wanted, model: Model, server: Server) -> Iterator[Body]:
    yield from server.beside
    yield made(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        names.object_name(model.name),
        wanted.namespace,
        labels=_INSIDE,
        annotations={
            "serving.kserve.io/deploymentMode": _MODE,
            "serving.kserve.io/autoscalerClass": "external",  # none, which older versions of KServe do not know
        },
        spec={"predictor": servers.predictor(wanted, server)},
    )


def _wait(wanted: Wanted, model: Model, server: Server) -> Wait:
    name, where = names.object_name(model.name), wanted.namespace
    said = f"InferenceService {where}/{name} is Ready"
    return Wait(kinds.INFERENCE_SERVICE, name, where, conditions.served, said, float(server.start))
