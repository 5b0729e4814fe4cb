"""vLLM on a cluster: its image, its arguments, and a home that it may write to whoever it runs as."""

from collections.abc import Mapping
from typing import Any

from maas.cluster.nodes import GPU, TOLERATES_GPU
from maas.cluster.resources import names, placing, storage, weights
from maas.cluster.resources.making import Body, made
from maas.cluster.resources.placing import Placing
from maas.cluster.resources.servers import Mount, Server, flagged, temporary
from maas.cluster.resources.services import PORT
from maas.cluster.resources.weights import Weights
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model
from maas.models.runtimes import RUNTIMES

IMAGE = "vllm/vllm-openai"
_REPORTS_USAGE = (0, 10, 0)  # the first version whose streams can be made to tell their usage
_HOME = "/cache"
_GIB = 2**30
_SLOW = 20 * 2**20  # bytes per second of a download
_USER = "vllm"


def server(wanted: Wanted, model: Model) -> Server:
    """Raises InvalidInput for weights that no pod can get, Unavailable where no GPU is good for it."""
    found = weights.of(model)
    placed = placing.place(wanted, model)
    cache = storage.cache(wanted, model, placed.weights * placed.gpus if found.on_hub else None)
    return Server(
        f"{IMAGE}:{placed.tag}",
        _arguments(model, found, placed),
        _resources(placed),
        start=int(RUNTIMES["vllm"].start) + placed.weights * placed.gpus // _SLOW,
        env=_environment(found, placed),
        mounts=(
            Mount("cache", _HOME, cache.volume),
            Mount("shm", "/dev/shm", {"emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}),  # noqa: S108
            temporary("4Gi"),
            *found.mounts,
        ),
        pod=_pod(found, placed),
        beside=(*cache.objects, *_account(wanted, found)),
    )


def _arguments(model: Model, found: Weights, placed: Placing) -> list[str]:
    """What the user wrote as options wins, but for what the platform is reached and metered by."""
    usage = {"enable-force-include-usage": ""} if placed.version >= _REPORTS_USAGE else {}
    options = {**placed.options, **model.options, **usage}
    return [
        f"--model={found.model}",
        "--served-model-name",
        *names.called(model),
        f"--port={PORT}",
        *flagged(options),
    ]


def _environment(found: Weights, placed: Placing) -> list[Mapping[str, Any]]:
    """USER and LOGNAME: PyTorch asks who it runs as, and a user without an entry in /etc/passwd is an error to it."""
    values = {
        "HOME": _HOME,
        "USER": _USER,
        "LOGNAME": _USER,
        "HF_HOME": f"{_HOME}/huggingface",
        "XDG_CACHE_HOME": f"{_HOME}/xdg",
        "XDG_CONFIG_HOME": f"{_HOME}/config",
        "VLLM_CACHE_ROOT": f"{_HOME}/vllm",
        "TRITON_CACHE_DIR": f"{_HOME}/triton",
        "TORCHINDUCTOR_CACHE_DIR": f"{_HOME}/inductor",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        **placed.environment,
    }
    token = {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": _TOKEN}}
    return [*({"name": key, "value": value} for key, value in values.items()), *found.env, *([token] * found.on_hub)]


_TOKEN = {"name": weights.HUB_SECRET, "key": "token", "optional": True}  # for models that the hub shows to some only


def _resources(placed: Placing) -> Mapping[str, Any]:
    """Weights pass through memory on their way to the GPU."""
    room = -(-placed.weights * placed.gpus // _GIB)
    wanted = {"cpu": "2", "memory": f"{max(8, 4 + room // 2)}Gi", GPU: str(placed.gpus)}
    return {"requests": wanted, "limits": {"cpu": "4", "memory": f"{max(12, 8 + room)}Gi", GPU: str(placed.gpus)}}


def _pod(found: Weights, placed: Placing) -> Body:
    """Recreate: a new pod would wait for the GPU that the old one holds."""
    selector = dict(placed.gpu.selector) if placed.gpu else {"nvidia.com/gpu.present": "true"}
    account = {"serviceAccountName": weights.ACCOUNT} if found.account else {}
    chosen = {"nodeSelector": selector} if selector else {}
    return {
        **account,
        **chosen,
        "tolerations": [dict(each) for each in TOLERATES_GPU],
        "deploymentStrategy": {"type": "Recreate"},
    }


def _account(wanted: Wanted, found: Weights) -> list[Body]:
    """KServe takes the credentials for a bucket from the Secrets of a ServiceAccount; those are yours to add."""
    if not found.account:
        return []
    return [made("v1", "ServiceAccount", weights.ACCOUNT, wanted.namespace, automountServiceAccountToken=False)]
