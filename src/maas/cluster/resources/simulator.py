"""The simulator on a cluster: llm-d's, which answers as vLLM does and needs no GPU."""

from maas.cluster.components.pins import pins
from maas.cluster.resources import names
from maas.cluster.resources.servers import Server, flagged, temporary
from maas.cluster.resources.services import PORT
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model

_IMAGE = "ghcr.io/llm-d/llm-d-inference-sim"
_CONTEXT = 8192


def server(wanted: Wanted, model: Model) -> Server:
    """The tokenizer is made up: a real one would be fetched from the hub."""
    chosen = {"max-model-len": str(model.context_length or _CONTEXT), "mode": "random", **model.options}
    return Server(
        f"{_IMAGE}:v{pins()['simulator'].version}",
        (
            f"--port={PORT}",
            f"--model={model.name}",
            "--served-model-name",
            *names.called(model),
            "--force-dummy-tokenizer",
            *flagged(chosen),
        ),
        {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        health="/health/ready",
        start=120,
        mounts=(temporary("64Mi"),),
    )
