"""A whole installation as files for GitOps, out of the same steps that `maas install` carries out.

    out/README.md                        what is in here, and the commands, in order
    out/charts/cert-manager.yaml         values of the Helm charts
    out/05-gateway/kustomization.yaml    a folder for each step that has objects
    out/05-gateway/gateway-maas-gateway.yaml
    out/kustomization.yaml               all of them, where operators and CRDs are there already

Rendering again writes the same bytes. A folder that somebody else filled is never written into: which files are ours is
in a list beside them, and files of others that came later are left where they are. Secrets are not written: a folder
like this ends in git.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from maas.cluster import rendering_readme
from maas.cluster.objects import Object, name, namespace
from maas.cluster.plan.model import Apply, Chart, Step
from maas.cluster.plan.ordering import ordered
from maas.cluster.plan.planning import every_step
from maas.cluster.wanted import Wanted
from maas.domain.errors import Conflict, InvalidInput

_LIST = ".maas-render"  # in the folder: what is ours of it
_KUSTOMIZATION = "kustomization.yaml"


def render(wanted: Wanted, folder: Path) -> list[Path]:
    """The files that were written. Raises MaasError for what is wanted in vain, and for a folder that is not ours."""
    files = rendered(wanted)
    try:
        before = _ours(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _remove(folder, before - files.keys())
        for path, text in {**files, _LIST: "".join(f"{path}\n" for path in sorted(files))}.items():
            place = folder / path
            place.parent.mkdir(exist_ok=True)
            place.write_text(text, "utf-8")
    except OSError as error:
        raise InvalidInput(f"{folder} can't be written: {error.strerror or error}") from error
    return [folder / path for path in files]


def rendered(wanted: Wanted) -> dict[str, str]:
    """The files' texts by their paths, in a stable order."""
    steps = ordered(every_step(wanted))
    files: dict[str, str] = {}
    folders = []
    for at, step in enumerate(steps, start=1):
        if found := _objects(step):
            folders.append(rendering_readme.folder(at, step))
            files |= {f"{folders[-1]}/{path}": _yaml(each) for path, each in found.items()}
            files[f"{folders[-1]}/{_KUSTOMIZATION}"] = _kustomization(list(found))
        for action in step.actions:
            if isinstance(action, Chart):
                files[rendering_readme.values(action)] = _yaml(action.values) if action.values else "{}\n"
            if isinstance(action, Apply) and action.brought:
                files[rendering_readme.fields(action)] = _yaml(action.object)
    files[_KUSTOMIZATION] = _kustomization(folders)
    files["README.md"] = rendering_readme.readme(wanted, steps)
    return files


def _objects(step: Step) -> dict[str, Object]:
    """By file names, in the order in which they are applied."""
    found: dict[str, Object] = {}
    for action in step.actions:
        if isinstance(action, Apply) and action.object["kind"] != "Secret" and not action.brought:
            path = f"{str(action.object['kind']).lower()}-{name(action.object)}"
            if f"{path}.yaml" in found:
                path = f"{path}-{namespace(action.object)}"
            found[f"{path}.yaml"] = action.object
    return found


def _kustomization(resources: list[str]) -> str:
    return _yaml({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources})


def _ours(folder: Path) -> set[str]:
    """Raises Conflict, OSError."""
    if folder.exists() and not folder.is_dir():
        raise Conflict(f"{folder} is a file; name a folder")
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    listed = folder / _LIST
    if not listed.is_file():
        raise Conflict(f"{folder} has files that were not rendered; name an empty folder, or a new one")
    return {line for line in listed.read_text("utf-8").splitlines() if _is_inside(line)}


def _is_inside(path: str) -> bool:
    """A list that somebody has edited must not lead elsewhere."""
    return bool(path) and not Path(path).is_absolute() and ".." not in Path(path).parts


def _remove(folder: Path, paths: set[str]) -> None:
    for path in sorted(paths):
        (folder / path).unlink(missing_ok=True)
    for below in {(folder / path).parent for path in paths} - {folder}:
        if below.is_dir() and not any(below.iterdir()):
            below.rmdir()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


# kubectl reads more as numbers and truths than PyYAML thinks it must quote: a model may be called 1e3, or n.
_NO_TEXT_TO_GO = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?|[-+]?0[box][0-9a-f_]+|[yn]", re.IGNORECASE
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _NO_TEXT_TO_GO.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.dump(_plain(value), Dumper=_Dumper, sort_keys=False, width=1_000_000, allow_unicode=True)


def _plain(value: Any) -> Any:
    """Mappings and sequences of any kind as those that YAML knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
