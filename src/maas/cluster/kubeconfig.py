"""Kubeconfig files, merged as kubectl merges them.

$KUBECONFIG may name several files: the first that defines a context, cluster, user or the current context wins, files
that do not exist are passed over, and a relative path means relative to the file that it stands in.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from maas.cluster import reading_files
from maas.cluster.failures import BadKubeconfig
from maas.cluster.objects import flag, items, mapping, text, texts

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100  # levels; the parser goes down one call for each, and nobody catches it when it falls
_USER = re.compile(r"(?<=://)[^/?#]*@")  # of a URL, with the password


@dataclass(frozen=True)
class Entry:
    """A named part of a file: a context, a cluster or a user, whatever fields it has."""

    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a user's hold secrets
    folder: Path = Path()

    def text(self, *path: str) -> str:
        return text(self.fields, *path)

    def flag(self, *path: str) -> bool:
        return flag(self.fields, *path)

    def texts(self, *path: str) -> list[str]:
        return texts(self.fields, *path)

    def mapping(self, *path: str) -> Mapping[str, Any]:
        return mapping(self.fields, *path)

    def path(self, *path: str) -> Path | None:
        """The file that a field names."""
        named = self.text(*path)
        return self.folder / Path(named).expanduser() if named else None


@dataclass(frozen=True)
class Login:
    """One context with its cluster and user: who connects to what."""

    context: str
    cluster: Entry
    user: Entry
    server: str
    namespace: str = ""


@dataclass(frozen=True)
class Kubeconfig:
    files: tuple[Path, ...] = ()
    current: str = ""
    contexts: Mapping[str, Entry] = field(default_factory=dict)
    clusters: Mapping[str, Entry] = field(default_factory=dict)
    users: Mapping[str, Entry] = field(default_factory=dict)

    def login(self, context: str | None) -> Login:
        name = context or self.current
        if not name:
            raise BadKubeconfig(f"No current context is set in {self._described}. {self._choice}")
        if name not in self.contexts:
            raise BadKubeconfig(f"There is no context {name!r} in {self._described}. {self._choice}")
        chosen = self.contexts[name]
        cluster = self._part(self.clusters, chosen, "cluster", name)
        user = self._part(self.users, chosen, "user", name) if chosen.text("user") else Entry()
        server = without_user(cluster.text("server"))
        if not server.startswith(("https://", "http://")):
            raise BadKubeconfig(
                f"Cluster {chosen.text('cluster')!r} in {self._described} has no usable server address ({server!r}). "
                "It must look like https://host:6443"
            )
        return Login(name, cluster, user, server.rstrip("/"), chosen.text("namespace"))

    def _part(self, parts: Mapping[str, Entry], context: Entry, what: str, name: str) -> Entry:
        wanted = context.text(what)
        if wanted not in parts:
            raise BadKubeconfig(
                f"Context {name!r} names the {what} {wanted!r}, which is not in {self._described}. "
                f"Those there are: {_listed(parts)}"
            )
        return parts[wanted]

    @property
    def _described(self) -> str:
        return " and ".join(str(file) for file in self.files) or "any kubeconfig"

    @property
    def _choice(self) -> str:
        if not self.contexts:
            return "It has no contexts at all: is it the right file?"
        return f"Choose one with --context: {_listed(self.contexts)}"


def without_user(url: str) -> str:
    """The address alone: the user and password in it are credentials, and nothing to show."""
    return _USER.sub("", url)


def _listed(names: Mapping[str, object]) -> str:
    known = sorted(names)
    return ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "") or "(none)"


def files(explicit: Path | None, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Those that exist, of: the one given, else $KUBECONFIG, else ~/.kube/config."""
    if explicit is not None:
        if not reading_files.is_there(explicit.expanduser()):
            raise BadKubeconfig(f"There is no kubeconfig {explicit}")
        return (explicit.expanduser(),)
    if listed := environment.get("KUBECONFIG", ""):
        named = [Path(part).expanduser() for part in listed.split(os.pathsep) if part]
        return tuple(file for file in dict.fromkeys(named) if reading_files.is_there(file))
    usual = Path(environment.get("HOME") or Path.home()) / ".kube" / "config"
    return (usual,) if usual.is_file() else ()


def read(paths: Sequence[Path]) -> Kubeconfig:
    contents = [(path, _content(path)) for path in paths]
    current = next((text(c, "current-context") for _, c in contents if text(c, "current-context")), "")
    return Kubeconfig(
        tuple(paths), current, _merged(contents, "context"), _merged(contents, "cluster"), _merged(contents, "user")
    )


def _merged(contents: Sequence[tuple[Path, object]], what: str) -> dict[str, Entry]:
    merged: dict[str, Entry] = {}
    for path, content in contents:
        for item in items(content, what + "s"):
            if name := text(item, "name"):
                merged.setdefault(name, Entry(mapping(item, what), path.absolute().parent))
    return merged


def _content(path: Path) -> object:
    """The messages of the YAML parser are not passed on whole: they quote the line, which may hold a token."""
    try:
        written = reading_files.whole(path)
        _refuse_deep(written, path)
        found = yaml.load(written, _Loader)  # a safe loader, the quick one
    except OSError as error:
        raise BadKubeconfig(f"The kubeconfig {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BadKubeconfig(f"The kubeconfig {path} is not valid YAML{where}") from None
    if found is not None and not isinstance(found, Mapping):
        raise BadKubeconfig(f"{path} is no kubeconfig: it holds no mapping")
    return found


def _refuse_deep(written: bytes, path: Path) -> None:
    parser: Any = _Loader(written)
    depth = 0
    for event in iter(parser.get_event, None):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise BadKubeconfig(f"{path} is no kubeconfig: it nests more than {_DEEPEST} levels deep")
