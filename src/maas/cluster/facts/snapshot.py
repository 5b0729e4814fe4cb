"""Facts from a snapshot: a folder or a tar archive of Kubernetes objects, in any layout.

What `maas snapshot` wrote is read fastest, and says everything itself. Trees of `oc adm inspect` and must-gather,
support bundles of troubleshoot and what `kubectl get -o yaml` printed are read by what is in the files; names of
files matter only for logs, for empty lists and for what is no object: version.json, apis.json, probes.json.

When it was taken: snapshot.json says so; else must-gather's `timestamp`; else it is the newest time at which any of
the objects was changed or seen, which is minutes off at most, as nodes report all the time; else the newest file's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from maas.cluster.facts import snapshot_absence, snapshot_documents
from maas.cluster.facts.model import Cause, Facts, Source, Step, Unread, Watch
from maas.cluster.facts.snapshot_derived import served_version, taken_at
from maas.cluster.facts.snapshot_files import BROKEN, File, files, nothing_in
from maas.cluster.facts.snapshot_gathering import Gathering
from maas.cluster.facts.snapshot_layout import ABOUT, APIS, PROBES, UNREAD, VERSION, key_of_list
from maas.cluster.facts.snapshot_logs import MOST, is_log, logs, tail
from maas.cluster.facts.snapshot_yaml import Unreadable
from maas.cluster.facts.uncollected import uncollected
from maas.cluster.kinds import ALL, POD
from maas.cluster.objects import Object, mapping, text, texts

_OBJECTS = (".yaml", ".yml", ".json", ".jsonl")
_EVERY = 500  # objects between two words of progress
_RECORDS = frozenset({ABOUT, VERSION, "cluster_version.json", APIS, PROBES, UNREAD})


@dataclass
class _Reading:
    gathering: Gathering
    watch: Watch
    unreadable: dict[str, str] = field(default_factory=dict)
    records: dict[str, tuple[int, Any]] = field(default_factory=dict)  # by name: how deep it lay, and what it is
    tails: dict[str, tuple[str, ...]] = field(default_factory=dict)
    of_logs: int = 0  # characters
    timestamp: str = ""
    newest_file: float = 0.0
    files: int = 0


def read(path: Path, *, watch: Watch | None = None) -> Facts:
    """Raises InvalidInput where there is no snapshot at all. A file that can't be read is in Facts.unreadable."""
    with uncollected():
        return _read(path, _Reading(Gathering(), watch or (lambda step: None)))


def _read(path: Path, reading: _Reading) -> Facts:
    for file in files(path, reading.unreadable.__setitem__):
        reading.files += 1
        reading.newest_file = max(reading.newest_file, file.modified)
        try:
            _take(reading, file)
        except Unreadable as error:
            reading.unreadable[file.path] = str(error)
        except BROKEN as error:
            reading.unreadable[file.path] = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
    if path.is_file() and path.name in reading.unreadable:
        reading.gathering.archive_breaks_off(path.name)
    if not reading.gathering.has_anything and not reading.records:
        raise nothing_in(path, _nothing(reading))
    return _facts(path, reading)


def _nothing(reading: _Reading) -> str:
    if not reading.unreadable:
        return "holds no Kubernetes objects" if reading.files else "is empty"
    file, why = next(iter(reading.unreadable.items()))
    return f"holds no readable Kubernetes objects: {file}: {why}"


def _take(reading: _Reading, file: File) -> None:
    name = file.path.rpartition("/")[2]
    if is_log(file.path):
        _take_log(reading, file)
    elif name == "timestamp" and file.size < 4096:
        with file.open() as stream:
            reading.timestamp = max(reading.timestamp, stream.read(4096).decode("utf-8", errors="replace")[:19])
    elif name in _RECORDS and "/pods/" not in file.path:
        _take_record(reading, file, name)
    elif file.path.endswith(_OBJECTS) and not _is_of_a_container(file.path):
        _take_objects(reading, file)


def _take_log(reading: _Reading, file: File) -> None:
    if reading.of_logs > MOST:
        raise Unreadable("the logs before it are more than enough")
    with file.open() as stream:
        lines = tail(stream, sought=file.sought)
    reading.tails[file.path] = lines
    reading.of_logs += sum(map(len, lines))


def _is_of_a_container(path: str) -> bool:
    """What `oc adm inspect` asked of a container's own port: its metrics, its version."""
    folders = path.split("/")
    return "pods" in folders and len(folders) - folders.index("pods") > 3 and "namespaces" in folders


def _take_record(reading: _Reading, file: File, name: str) -> None:
    """The one that lies highest: a container may have a version.json of its own."""
    depth = file.path.count("/")
    with file.opened() as stream:
        found = snapshot_documents.loads(stream.read())
    if not isinstance(found, Mapping):
        if depth <= 1:  # else it is somebody else's
            raise Unreadable("it holds no JSON object")
        return
    if name not in reading.records or depth < reading.records[name][0]:
        reading.records[name] = (depth, found)


def _take_objects(reading: _Reading, file: File) -> None:
    try:
        with file.opened() as stream:
            _gather(reading, file, stream)
    except (Unreadable, *BROKEN):
        reading.gathering.break_off(file.path)
        raise
    reading.gathering.end()
    reading.watch(Step(file.path.rpartition("/")[2], reading.files, 0, reading.gathering.count))


def _gather(reading: _Reading, file: File, stream: BufferedReader) -> None:
    key = key_of_list(file.path)
    if key is not None and (listed := snapshot_documents.own_list(stream)) is not None:
        reading.gathering.add_listed(key, _watched(reading, key, listed))
        return
    for document in snapshot_documents.of(file.path, stream):
        reading.gathering.add(document, file.path)


def _watched(reading: _Reading, key: str, objects: Iterator[Any]) -> Iterator[Object]:
    for count, each in enumerate(objects):
        if not count % _EVERY:
            reading.watch(Step(key, reading.files, 0, reading.gathering.count + count))
        if isinstance(each, Mapping):
            yield each


def _facts(path: Path, reading: _Reading) -> Facts:
    gathering = reading.gathering
    about, missing = _record(reading, ABOUT), _record(reading, UNREAD)
    apis = _apis(reading, missing)
    lists = _lists(gathering, apis, mapping(missing, "lists"))
    version = _record(reading, VERSION) or mapping(_record(reading, "cluster_version.json"), "info")
    return Facts(
        source=Source(False, f"snapshot {path.name or path.resolve().name}"),
        taken_at=taken_at(about, reading.timestamp, lists, reading.newest_file),
        version=_unread(missing, "version") or served_version(version, lists),
        apis=apis,
        lists=lists,
        probes=_probes(_record(reading, PROBES), mapping(missing, "probes")),
        logs=tuple(logs(reading.tails, _known(lists.get(POD.key)))),
        unreadable={**_strings(mapping(missing, "unreadable")), **reading.unreadable},
        partial={**_strings(mapping(missing, "partial")), **snapshot_absence.partial(gathering)},
    )


def _record(reading: _Reading, name: str) -> Mapping[str, Any]:
    return mapping(reading.records.get(name, (0, None))[1])


def _apis(reading: _Reading, missing: Mapping[str, Any]) -> Mapping[str, frozenset[str]] | Unread:
    if given := _record(reading, APIS):
        return {version: frozenset(texts(given, version)) for version in given}
    return _unread(missing, "apis") or snapshot_absence.apis(reading.gathering)


def _lists(
    gathering: Gathering, apis: Mapping[str, frozenset[str]] | Unread, missing: Mapping[str, Any]
) -> dict[str, Sequence[Object] | Unread]:
    lists: dict[str, Sequence[Object] | Unread] = {key: list(found.values()) for key, found in gathering.found.items()}
    for kind in ALL:
        if lists.get(kind.key):
            continue
        if (why := _unread(missing, kind.key)) or (why := snapshot_absence.unread(kind, apis, gathering)):
            lists[kind.key] = why
        elif kind.key in gathering.listed:
            lists[kind.key] = []
    return lists


def _probes(tried: Mapping[str, Any], missing: Mapping[str, Any]) -> dict[str, Any]:
    return {**tried, **{name: why for name in missing if (why := _unread(missing, name))}}


def _unread(missing: Mapping[str, Any], *path: str) -> Unread | None:
    """As unread.json has it."""
    found = mapping(missing, *path)
    cause = text(found, "cause")
    return Unread(Cause(cause), text(found, "reason")) if cause in set(Cause) else None


def _known(found: Sequence[Object] | Unread | None) -> Sequence[Object]:
    return () if found is None or isinstance(found, Unread) else found


def _strings(found: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in found.items() if isinstance(value, str)}
