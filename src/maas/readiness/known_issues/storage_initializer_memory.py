"""KServe's storage initializer is killed for memory while it fetches a model."""

import json
from collections.abc import Iterator

from maas.cluster.changes import Change, Verb, restart
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CONFIG_MAP, DEPLOYMENT, INFERENCE_SERVICE, POD
from maas.cluster.objects import Object, items, name, namespace, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, pods_of

_CONTAINER = "storage-initializer"
_WANTED = "8Gi"


@known_issue(
    "MAAS-421",
    "KServe's storage initializer has memory enough",
    sign="Init container storage-initializer of a model that was OOMKilled.",
    cause="The initializer may use 1 GiB by default. Fetching big files from Hugging Face needs more, so it is killed "
    "and begins anew, for ever.",
    mend="Raise memoryLimit in storageInitializer of ConfigMap inferenceservice-config, then restart the model's pods.",
    needs=(INFERENCE_SERVICE,),
    covers=("Model Deployment Failures",),
    explains=(
        "MAAS-361",
        "MAAS-362",
        "MAAS-364",
    ),
)
def killed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for model in facts.all(INFERENCE_SERVICE):
        if pods := [pod for pod in pods_of(facts, model) if _is_killed(pod)]:
            about = called(INFERENCE_SERVICE, model)
            yield failed(
                "its storage initializer was killed for want of memory",
                *few(
                    [Seen(called(POD, pod), f"{_CONTAINER}.lastState.terminated.reason", "OOMKilled") for pod in pods]
                ),
                remedy=_remedy(facts, model),
                about=about,
            )


def _is_killed(pod: Object) -> bool:
    statuses = [each for each in items(pod, "status", "initContainerStatuses") if text(each, "name") == _CONTAINER]
    return any(
        text(each, state, "terminated", "reason") == "OOMKilled"
        for each in statuses
        for state in ("state", "lastState")
    )


def _remedy(facts: Facts, model: Object) -> Remedy:
    restarted = restart(DEPLOYMENT, f"{name(model)}-predictor", namespace(model), why="new pods have the new limit")
    for config in facts.known(CONFIG_MAP):
        if change := _raised(config):
            return Remedy("Give it more memory, then let the model's pods start anew.", changes=(change, restarted))
    return Remedy(
        f"Raise memoryLimit of storageInitializer in ConfigMap inferenceservice-config to {_WANTED}, then restart the "
        "model's pods.",
        (restarted.command,),
    )


def _raised(config: Object) -> Change | None:
    try:
        section = json.loads(text(config, "data", "storageInitializer"))
    except ValueError:
        return None
    if not isinstance(section, dict):
        return None
    body = {"data": {"storageInitializer": json.dumps({**section, "memoryLimit": _WANTED}, indent=4)}}
    return Change(Verb.patch, CONFIG_MAP, name(config), namespace(config), body, f"{_WANTED} in place of what it had")
