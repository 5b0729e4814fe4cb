"""Changes to the server of an InferenceService, as JSON patches.

Both forms are known: `spec.predictor.containers` with a whole container, and `spec.predictor.model` with a runtime.
A patch names only what it changes: variables it does not touch may hold secrets, and what is known of the object may
be less than there is. Its tests keep it from an object that has changed meanwhile.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from maas.cluster.changes import Change, Verb, edit
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.objects import Object, items, mapping, name, namespace, text, texts

SERVER = "kserve-container"
USAGE = "--enable-force-include-usage"  # of vLLM: every stream ends with its usage, which token limits read
REPORTS_USAGE = (0, 10, 0)  # the first version that has it
_PREDICTOR = "/spec/predictor"
Operation = Mapping[str, Any]
Edit = Callable[[Mapping[str, Any], str], list[Operation]]
"""From a container and where it is in its object to what changes it."""


def server(model: Object) -> Mapping[str, Any]:
    """The container that serves, or the `model` section, which holds a container's fields as well; {} if neither."""
    containers = items(model, "spec", "predictor", "containers")
    return containers[_place(containers)] if containers else mapping(model, "spec", "predictor", "model")


def arguments(container: Mapping[str, Any]) -> list[str]:
    return [*texts(container, "command"), *texts(container, "args")]


def storage_uri(model: Object) -> str:
    return text(model, "spec", "predictor", "model", "storageUri")


def is_vllm(model: Object) -> bool:
    """By whatever names it: the image, the format, an argument."""
    container = server(model)
    words = [text(container, "image"), text(container, "modelFormat", "name"), text(container, "runtime")]
    return "vllm" in " ".join([*words, *arguments(container)]).lower()


def uses_gpu(model: Object) -> bool:
    resources = server(model).get("resources")
    wanted = {*mapping(resources, "limits"), *mapping(resources, "requests")}
    return any(each.startswith("nvidia.com/") for each in wanted)


def edited(model: Object, *edits: Edit, why: str) -> Change:
    """The change of the server by each edit; no two of them may be of one field."""
    containers = items(model, "spec", "predictor", "containers")
    place, base = _place(containers), f"{_PREDICTOR}/model"
    guard: list[Operation] = []
    if containers:
        base = f"{_PREDICTOR}/containers/{place}"
        guard = [{"op": "test", "path": f"{base}/name", "value": text(containers[place], "name")}]
    operations = [operation for each in edits for operation in each(server(model), base)]
    return edit(INFERENCE_SERVICE, name(model), namespace(model), [*guard, *operations], why)


def patched(model: Object, predictor: Mapping[str, Any], why: str) -> Change:
    """The change of fields of the predictor itself; of no lists."""
    body = {"spec": {"predictor": dict(predictor)}}
    return Change(Verb.patch, INFERENCE_SERVICE, name(model), namespace(model), body, why)


def with_image(image: str) -> Edit:
    return lambda container, base: [{"op": "add", "path": f"{base}/image", "value": image}]


def with_flags(**flags: str | bool) -> Edit:
    """--dtype=float16 for dtype="float16", --enforce-eager for enforce_eager=True; what is there already gives way."""

    def edits(container: Mapping[str, Any], base: str) -> list[Operation]:
        old = texts(container, "args")
        args: Sequence[str] = old
        for key, value in flags.items():
            args = _with_flag(args, f"--{key.replace('_', '-')}", value)
        test = [{"op": "test", "path": f"{base}/args", "value": old}] if "args" in container else []
        return [*test, {"op": "add", "path": f"{base}/args", "value": args}]

    return edits


def with_env(values: Mapping[str, str]) -> Edit:
    entries = [{"name": key, "value": value} for key, value in values.items()]
    return lambda container, base: _with_entries(container, f"{base}/env", "env", "name", entries)


def without_env(names: Collection[str]) -> Edit:
    def edits(container: Mapping[str, Any], base: str) -> list[Operation]:
        operations: list[Operation] = []
        for place, each in reversed(list(enumerate(items(container, "env")))):
            if text(each, "name") in names:
                path = f"{base}/env/{place}"
                operations += [{"op": "test", "path": f"{path}/name", "value": text(each, "name")}]
                operations += [{"op": "remove", "path": path}]
        return operations

    return edits


def with_mount(volume: str, path: str) -> Edit:
    entries = [{"name": volume, "mountPath": path}]
    return lambda container, base: _with_entries(
        container, f"{base}/volumeMounts", "volumeMounts", "mountPath", entries
    )


def with_empty_volume(model: Object, volume: str) -> Edit:
    entries: list[Operation] = [{"name": volume, "emptyDir": {}}]
    predictor = mapping(model, "spec", "predictor")
    return lambda container, base: _with_entries(predictor, f"{_PREDICTOR}/volumes", "volumes", "name", entries)


def _with_entries(
    holder: Mapping[str, Any], path: str, field: str, key: str, entries: Sequence[Operation]
) -> list[Operation]:
    """Each entry in place of the one with the same key, or at the list's end."""
    there = items(holder, field)
    if not there:
        return [{"op": "add", "path": path, "value": list(entries)}]
    places = {text(each, key): place for place, each in enumerate(there)}
    operations: list[Operation] = []
    for entry in entries:
        place = places.get(entry[key])
        if place is None:
            operations.append({"op": "add", "path": f"{path}/-", "value": entry})
        else:
            operations.append({"op": "test", "path": f"{path}/{place}/{key}", "value": entry[key]})
            operations.append({"op": "replace", "path": f"{path}/{place}", "value": entry})
    return operations


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


def _place(containers: Sequence[Mapping[str, Any]]) -> int:
    return next((place for place, each in enumerate(containers) if text(each, "name") == SERVER), 0)
