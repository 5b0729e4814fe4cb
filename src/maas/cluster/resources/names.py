"""What a model is called on a cluster, and where clients find it.

maas.yaml allows more in a name than Kubernetes does in a Service's: dots, underscores, a digit in front, 63 characters
where KServe adds "-predictor" and labels add more. So there is a name for objects and hosts beside the one that clients
write; it is the same one wherever that is possible.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidInput
from maas.domain.platform import Model

SHARED = "maas"  # the host that serves all models, by path
LONGEST = 44  # KServe's label is "isvc.NAME-predictor", of 63 characters at most; ours are "NAME-gateway-svc"
_DIGITS = 6
_MOST_HOSTS = 16  # of an HTTPRoute
_OWN = re.compile(rf"{SHARED}(-[0-9]+|-to-https)?")  # routes of no single model


def object_name(called: str) -> str:
    """ "qwen3.0_6b" is "qwen3-0-6b". Of a model or an alias."""
    name = re.sub(r"[^a-z0-9]+", "-", called).strip("-")
    name = name if name[:1].isalpha() else f"m-{name}"
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(called.encode()).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST - _DIGITS - 1].rstrip('-')}-{digest}"


def service(model: Model) -> str:
    """The Service that routes lead to."""
    return f"{object_name(model.name)}-gateway-svc"


def called(model: Model) -> tuple[str, ...]:
    """Its name and its aliases."""
    return (model.name, *model.aliases)


def host(wanted: Wanted, called: str) -> str:
    """Of the model or alias: "simulator.maas.local"."""
    return f"{object_name(called)}.{wanted.site.domain}"


def hosts(wanted: Wanted, model: Model) -> list[str]:
    return [host(wanted, each) for each in called(model)]


def shared_host(wanted: Wanted) -> str:
    return f"{SHARED}.{wanted.site.domain}"


def prefix(called: str) -> str:
    """Of the paths under which the shared host serves the model or alias: before /v1/…."""
    return f"/{called}"


def models(wanted: Wanted) -> Sequence[Model]:
    """In a stable order. Raises InvalidInput where objects or hosts would have the same name."""
    found = [wanted.platform.models[name] for name in sorted(wanted.platform.models)]
    if many := next((model for model in found if len(called(model)) > _MOST_HOSTS), None):
        raise InvalidInput(f"maas.yaml: models.{many.name}.aliases: a cluster's routes have room for {_MOST_HOSTS - 1}")
    taken: dict[str, list[str]] = defaultdict(list)
    for each in (each for model in found for each in called(model)):
        taken[object_name(each)].append(each)
    for name, users in taken.items():
        if len(users) > 1:
            raise InvalidInput(
                f"maas.yaml: {' and '.join(users)} would both be {name!r} on a cluster, where names have only"
                " lower-case letters, digits and '-'; give one of them another name"
            )
        if _OWN.fullmatch(name):
            raise InvalidInput(
                f"maas.yaml: on a cluster {users[0]!r} is what leads to all models; call the model for example"
                f" {users[0]}-model"
            )
    return found
