"""Changes to single objects, as data: shown as the kubectl command that does the same, dry-run, or carried out.

The few verbs that remedies need. Whoever shows a change and whoever carries it out read the same value, so what was
shown is what is done.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

from maas.cluster.kinds import Kind
from maas.cluster.shell import word


class Verb(StrEnum):
    patch = "patch"  # JSON merge patch
    edit = "edit"  # JSON patch: for single entries of lists, which a merge patch would replace as a whole
    apply = "apply"  # server-side, as field manager `maas`
    delete = "delete"
    restart = "restart"  # of a Deployment or DaemonSet: a new pod template annotation, as `kubectl rollout restart`


@dataclass(frozen=True)
class Change:
    verb: Verb
    kind: Kind
    name: str
    namespace: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)  # the patch, or the whole object to apply; see edit()
    why: str = ""

    @property
    def command(self) -> str:
        """For a shell."""
        where = f" -n {word(self.namespace)}" if self.namespace else ""
        object = word(f"{self.kind.key}/{self.name}")
        match self.verb:
            case Verb.patch:
                return f"kubectl patch {object}{where} --type=merge -p {word(json.dumps(self.body))}"
            case Verb.edit:
                operations = word(json.dumps(self.body["operations"]))
                return f"kubectl patch {object}{where} --type=json -p {operations}"
            case Verb.delete:
                return f"kubectl delete {object}{where}"
            case Verb.restart:
                return f"kubectl rollout restart {object}{where}"
            case Verb.apply:
                manifest = yaml.safe_dump(dict(self.body), sort_keys=False).rstrip()
                return f"kubectl apply --server-side --field-manager=maas -f - <<'EOF'\n{manifest}\nEOF"
        raise AssertionError(self.verb)


def edit(kind: Kind, name: str, namespace: str, operations: Sequence[Mapping[str, Any]], why: str = "") -> Change:
    """operations: of a JSON patch. Its "test" operations keep it from being carried out where the object is another."""
    return Change(Verb.edit, kind, name, namespace, {"operations": list(operations)}, why)


def set_labels(kind: Kind, name: str, labels: Mapping[str, str | None], namespace: str = "", why: str = "") -> Change:
    """None removes a label."""
    return Change(Verb.patch, kind, name, namespace, {"metadata": {"labels": dict(labels)}}, why)


def restart(kind: Kind, name: str, namespace: str, why: str = "") -> Change:
    return Change(Verb.restart, kind, name, namespace, why=why)
