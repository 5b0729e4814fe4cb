"""Changes to the server of an InferenceService, as patches.

Both forms are known: `spec.predictor.containers` with a whole container, and `spec.predictor.model` with a runtime.
A merge patch replaces lists as a whole, so each patch holds the whole list with one thing changed in it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maas.cluster.changes import Change, Verb
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.objects import Object, at, items, mapping, name, namespace, text, texts

SERVER = "kserve-container"
Edit = Callable[[dict[str, Any]], dict[str, Any]]


def server(model: Object) -> Mapping[str, Any]:
    """The container that serves, or the `model` section, which holds a container's fields as well; {} if neither."""
    containers = items(model, "spec", "predictor", "containers")
    named = next((each for each in containers if text(each, "name") == SERVER), None)
    return named or next(iter(containers), None) or mapping(model, "spec", "predictor", "model")


def arguments(container: Mapping[str, Any]) -> list[str]:
    return [*texts(container, "command"), *texts(container, "args")]


def storage_uri(model: Object) -> str:
    found = text(model, "spec", "predictor", "model", "storageUri")
    return found or text(at(model, "spec", "predictor", "storageUris", 0), "uri")


def uses_gpu(model: Object) -> bool:
    resources = server(model).get("resources")
    wanted = {*mapping(resources, "limits"), *mapping(resources, "requests")}
    return any(each.startswith("nvidia.com/") for each in wanted)


def edited(model: Object, *edits: Edit, why: str, predictor: Mapping[str, Any] | None = None) -> Change:
    """The patch that changes the server by each edit in turn, and the predictor's own fields by `predictor`."""
    changed = dict(server(model))
    for edit in edits:
        changed = edit(changed)
    containers = items(model, "spec", "predictor", "containers")
    section: dict[str, Any] = {"model": changed}
    if containers:
        section = {"containers": [changed if each is server(model) else dict(each) for each in containers]}
    return patched(model, {**section, **(predictor or {})}, why)


def patched(model: Object, predictor: Mapping[str, Any], why: str) -> Change:
    body = {"spec": {"predictor": dict(predictor)}}
    return Change(Verb.patch, INFERENCE_SERVICE, name(model), namespace(model), body, why)


def with_image(image: str) -> Edit:
    return lambda container: {**container, "image": image}


def with_flags(**flags: str | bool) -> Edit:
    """--dtype=float16 for dtype="float16", --enforce-eager for enforce_eager=True; what is there already gives way."""

    def edit(container: dict[str, Any]) -> dict[str, Any]:
        args = texts(container, "args")
        for key, value in flags.items():
            args = _with_flag(args, f"--{key.replace('_', '-')}", value)
        return {**container, "args": args}

    return edit


def _with_flag(args: Sequence[str], flag: str, value: str | bool) -> list[str]:
    kept, skip = [], False
    for arg, following in zip(args, [*args[1:], "--"], strict=True):
        if skip:
            skip = False
        elif arg == flag:
            skip = value is not True and not following.startswith("-")
        elif not arg.startswith(f"{flag}="):
            kept.append(arg)
    return [*kept, flag if value is True else f"{flag}={value}"]


def with_env(values: Mapping[str, str]) -> Edit:
    def edit(container: dict[str, Any]) -> dict[str, Any]:
        kept = [dict(each) for each in items(container, "env") if text(each, "name") not in values]
        return {**container, "env": [*kept, *({"name": key, "value": value} for key, value in values.items())]}

    return edit


def with_mount(volume: str, path: str) -> Edit:
    def edit(container: dict[str, Any]) -> dict[str, Any]:
        kept = [dict(each) for each in items(container, "volumeMounts") if text(each, "mountPath") != path]
        return {**container, "volumeMounts": [*kept, {"name": volume, "mountPath": path}]}

    return edit


def volumes_with_empty(model: Object, volume: str) -> list[Mapping[str, Any]]:
    kept = [dict(each) for each in items(model, "spec", "predictor", "volumes") if text(each, "name") != volume]
    return [*kept, {"name": volume, "emptyDir": {}}]
