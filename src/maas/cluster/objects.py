"""Reading the plain JSON of Kubernetes objects without ever stumbling.

An object comes from a server or a file that nobody vouches for: a field may be missing, null or of another type than
its schema says. Each function here answers with the type it promises, whatever the object holds; what is absent or
absurd is the empty value of that type. So checks need no defence of their own, and must not index objects themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
_NOTHING: Mapping[str, Any] = {}


def at(object: object, *path: str | int) -> Any:
    """What is at the path, or None: at(node, "status", "allocatable", "cpu")."""
    value: Any = object
    for step in path:
        if value.__class__ is dict or isinstance(value, Mapping):  # the first is a fifth of the second's work
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: object, *path: str | int) -> str:
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: object, *path: str | int) -> int | None:
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag(value: object, *path: str | int) -> bool:
    """True only for the boolean true."""
    return at(value, *path) is True


def mapping(value: object, *path: str | int) -> Mapping[str, Any]:
    found = at(value, *path)
    return found if found.__class__ is dict or isinstance(found, Mapping) else _NOTHING


def items(value: object, *path: str | int) -> list[Mapping[str, Any]]:
    """The objects in a list of objects."""
    found = at(value, *path)
    if not isinstance(found, list):
        return []
    return [item for item in found if item.__class__ is dict or isinstance(item, Mapping)]


def texts(value: object, *path: str | int) -> list[str]:
    """The strings in a list of strings."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def name(object: Object) -> str:
    return text(object, "metadata", "name")


def namespace(object: Object) -> str:
    """ "" for what is in none."""
    return text(object, "metadata", "namespace")


def place(object: Object) -> str:
    """ "namespace/name", or the name of what is in no namespace."""
    return f"{namespace(object)}/{name(object)}" if namespace(object) else name(object)


def label(object: Object, key: str) -> str:
    return text(object, "metadata", "labels", key)


def annotation(object: Object, key: str) -> str:
    return text(object, "metadata", "annotations", key)


def condition(object: Object, type: str, *path: str | int) -> Mapping[str, Any]:
    """The condition of that type in status.conditions, or in the list at the path; {} if there is none."""
    found = items(object, *(path or ("status", "conditions")))
    return next((each for each in found if each.get("type") == type), _NOTHING)


def is_true(object: Object, type: str) -> bool:
    return text(condition(object, type), "status") == "True"


def is_current(object: Object, condition: Mapping[str, Any]) -> bool:
    """Whether the condition speaks of the newest spec; one that does not say so is taken at its word."""
    observed, generation = number(condition, "observedGeneration"), number(object, "metadata", "generation")
    return observed is None or generation is None or observed >= generation


def is_observed(object: Object) -> bool:
    """Whether the status as a whole speaks of the newest spec, as Kuadrant and its servers write it.

    Not for InferenceServices: KServe writes the generation of their Deployment there.
    """
    return is_current(object, mapping(object, "status"))


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) chooses these labels. An empty one chooses all."""
    if any(labels.get(key) != value for key, value in mapping(selector, "matchLabels").items()):
        return False
    return all(_meets(expression, labels) for expression in items(selector, "matchExpressions"))


def _meets(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = text(expression, "key"), texts(expression, "values")
    match text(expression, "operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


def every(objects: Sequence[Object], in_namespace: str) -> list[Object]:
    return [each for each in objects if namespace(each) == in_namespace]
