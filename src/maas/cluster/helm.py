"""The `helm` command, called here and nowhere else.

It is what cluster admins have and trust; its releases stay theirs to look at, upgrade and remove. Helm is never told
to wait: what has come up is waited for by the step, in sight of whoever looks on. Values go through its stdin and
credentials stay in the kubeconfig, so neither stands in a list of processes.

Releases of ours carry labels on the Secrets that record them (never on what the charts make), which say what was
asked for: so a plan knows from one list of metadata whether a release is as it should be.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from maas.cluster.api import Api, path_of
from maas.cluster.aside import Ended, run
from maas.cluster.changes import Change, Verb
from maas.cluster.components.versions import at_least, version
from maas.cluster.helm_failures import HelmFailed, HelmMissing, explained
from maas.cluster.helm_records import kept
from maas.cluster.kinds import RELEASE
from maas.cluster.objects import Object, items, label, name, namespace, text
from maas.cluster.parsing import parsed
from maas.cluster.plan.model import Chart
from maas.cluster.wanted import APPLIED, MANAGED_BY

FLOOR = (3, 14, 0)
CHART_VERSION = "maas.io/chart"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
_SETTLING = 20.0  # seconds: what began this recently may still be under way, by an orphan of a killed run
_GRACE = 5.0  # seconds for a cancelled helm to note down that it failed
_PATIENCE = 600.0
_MEETINGS = 4  # with helms of runs that were killed, one after another
_MET = re.compile(
    r"another operation .* is in progress|sh\.helm\.release\.v1\.\S+ already exists|release: already exists"
    r"|cannot re-use a name that is still in use"
)
# Helm's own ways to choose a cluster: they would lead it to another one than ours.
_ELSEWHERE = ("HELM_KUBE", "HELM_NAMESPACE", "HELM_DRIVER")

Noted = Callable[[str], None]


def _unnoted(_what: str) -> None:
    pass


@dataclass(frozen=True)
class Release:
    """A revision that Helm has a record of. status: "deployed", "failed", "pending-install", "superseded", …"""

    name: str
    namespace: str
    revision: int
    status: str
    labels: Mapping[str, str]
    secret: str = ""
    created: str = ""

    @property
    def ours(self) -> bool:
        return self.labels.get(MANAGED_BY) == "maas"


def labels(chart: Chart) -> dict[str, str]:
    """What the record of a release is labelled with: that it is ours, and what was asked for."""
    return {MANAGED_BY: "maas", CHART_VERSION: chart.version, APPLIED: _digest(chart)}


def _digest(chart: Chart) -> str:
    asked = [chart.chart, chart.version, chart.repo, chart.values]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def newest(records: Iterable[Object]) -> list[Release]:
    """Of Helm's records (their metadata is enough), the last revision of each release."""
    last: dict[tuple[str, str], Release] = {}
    for record in records:
        found = _release(record)
        known = last.get((found.namespace, found.name))
        if found.name and (known is None or known.revision < found.revision):
            last[found.namespace, found.name] = found
    return [last[key] for key in sorted(last)]


def _release(record: Object) -> Release:
    revision = label(record, "version")
    every = {str(key): str(value) for key, value in (record.get("metadata") or {}).get("labels", {}).items()}
    number = int(revision) if revision.isdigit() else 0
    created = text(record, "metadata", "creationTimestamp")
    return Release(
        label(record, "name"), namespace(record), number, label(record, "status"), every, name(record), created
    )


def is_current(chart: Chart, records: Iterable[Object]) -> bool:
    """Whether the release is there as asked for: by us, or by somebody else (then it is left alone)."""
    found = next((r for r in newest(records) if (r.namespace, r.name) == (chart.namespace, chart.release)), None)
    if found is None or found.status != "deployed":
        return False
    return not found.ours or found.labels.get(APPLIED) == _digest(chart)


@dataclass
class Helm:
    """For the cluster that `api` speaks to. mirror: a folder of `maas mirror`, in place of the network.

    kubeconfig, context: those that the api was made of; None is what kubectl would take.
    """

    api: Api | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    mirror: Path | None = None
    patience: float = _PATIENCE
    _checked: "asyncio.Future[str] | None" = field(default=None, init=False, repr=False)

    async def upgrade_install(self, chart: Chart, *, dry_run: bool = False, noted: Noted = _unnoted) -> None:
        """Helm makes what the chart holds and comes back; nothing of it need run yet. Raises MaasError.

        noted: is told what is worth knowing meanwhile.
        """
        if not dry_run:
            await self._recover(chart.release, chart.namespace, noted)
        asked = [*("upgrade", chart.release, *self._source(chart), "--install", "--namespace", chart.namespace)]
        asked += ["--values", "-", "--history-max", "5", "--timeout", f"{self.patience:g}s"]
        asked += [f"--labels={','.join(f'{key}={value}' for key, value in labels(chart).items())}"]
        asked += ["--dry-run=server"] if dry_run else []
        for left in reversed(range(_MEETINGS)):
            try:
                await self._done(chart.release, chart.namespace, asked, chart, told=_yaml(chart.values))
                break
            except HelmFailed as failed:
                if dry_run or not left or not _MET.search(failed.words):
                    raise
            # An orphan of a killed run wrote its record after we had looked: it is let finish, and gone on from there.
            await self._recover(chart.release, chart.namespace, noted)

    async def uninstall(self, release: str, namespace: str, *, keep_crds: bool = False) -> None:
        """With everything that it made, except for what its chart marks to be kept. Raises MaasError.

        keep_crds: CRDs stay too, and so everything of their kinds.
        """
        if keep_crds:
            await self._keep_crds(release, namespace)
        asked = ["uninstall", release, "--namespace", namespace, f"--timeout={self.patience:g}s"]
        await self._if_there(release, namespace, asked)

    async def _keep_crds(self, release: str, namespace: str) -> None:
        """Helm has no word for it: what it keeps is marked in its own record, which is written again with the marks."""
        assert self.api is not None
        for found in await self._revisions(release, namespace):
            if found.status == "deployed":
                path = path_of(RELEASE, "v1", namespace, found.secret)
                packed_record = text(await self.api.get(path), "data", "release")
                patch = Change(Verb.patch, RELEASE, found.secret, namespace, {"data": {"release": kept(packed_record)}})
                await self.api.carry_out(patch, dry_run=False, now=time.time())

    async def releases(self) -> list[Release]:
        """The newest revision of each, of everybody's. Raises MaasError."""
        assert self.api is not None
        return newest(await self.api.list(RELEASE, "v1"))

    async def manifest(self, release: str, namespace: str) -> list[Object]:
        """What the release holds, hooks aside; nothing if there is no such release. Raises MaasError."""
        asked = ["get", "manifest", release, "--namespace", namespace]
        return parsed(await self._if_there(release, namespace, asked), f"release {namespace}/{release}")

    async def _if_there(self, release: str, namespace: str, asked: Sequence[str]) -> bytes:
        """What it prints; nothing where there is no such release (any more)."""
        try:
            return (await self._done(release, namespace, asked)).output
        except HelmFailed as failed:
            if "release: not found" in failed.words:
                return b""
            raise

    async def rendered(self, chart: Chart, kubernetes: str = "") -> list[Object]:
        """What the chart would install, CRDs and hooks too, without asking a cluster. Raises MaasError.

        kubernetes: "1.34"; "" is what helm was made for.
        """
        asked = ["template", chart.release, *self._source(chart), "--namespace", chart.namespace]
        asked += ["--include-crds", "--values", "-", *(["--kube-version", kubernetes] if kubernetes else [])]
        ended = await self._done(chart.release, chart.namespace, asked, chart, told=_yaml(chart.values), cluster=False)
        return parsed(ended.output, f"chart {chart.chart}")

    async def pull(self, chart: Chart, folder: Path) -> None:
        """The packed chart into the folder. Raises MaasError."""
        asked = ["pull", *self._source(chart), "--destination", str(folder)]
        await self._done(chart.release, chart.namespace, asked, chart, cluster=False)

    def _source(self, chart: Chart) -> list[str]:
        if self.mirror is not None:
            return [str(self.mirror / packed(chart))]
        return [chart.chart, "--version", chart.version, *(["--repo", chart.repo] if chart.repo else [])]

    async def _recover(self, release: str, namespace: str, noted: Noted = _unnoted) -> None:
        """Helm refuses a release whose last change was cut short: its record of that change is taken away.

        Then the change before it counts, or none; what the change had made so far bears the release's name, and
        Helm takes it for its own when it goes on. What began just now may still be under way, and is let finish.
        """
        begun, waited = time.monotonic(), False
        while (found := await self._cut_short(release, namespace)) is not None:
            if not found.ours:
                raise HelmFailed(_under_way(found), found.status)
            # By its own clock or by ours: theirs may differ.
            age = max(time.time() - _seconds(found.created), time.monotonic() - begun)
            if age >= _SETTLING:
                assert self.api is not None
                change = Change(Verb.delete, RELEASE, found.secret, namespace)
                await self.api.carry_out(change, dry_run=False, now=time.time())
                noted(f"Helm release {namespace}/{release} was {found.status}, cut short: it is taken up again")
                return
            if not waited:
                noted(f"Helm release {namespace}/{release} is {found.status}: an earlier run may still be at it")
                waited = True
            await asyncio.sleep(min(1.0, _SETTLING - age))

    async def _cut_short(self, release: str, namespace: str) -> Release | None:
        found = await self._revisions(release, namespace)
        return next((each for each in found if each.status in _PENDING), None)

    async def _revisions(self, release: str, namespace: str) -> list[Release]:
        if self.api is None:
            return []
        query = urlencode({"labelSelector": f"owner=helm,name={release}"})
        path = f"{path_of(RELEASE, 'v1', namespace)}?{query}"
        return [_release(each) for each in items(await self.api.get(path, accept=_METADATA), "items")]

    async def _done(
        self,
        release: str,
        namespace: str,
        asked: Sequence[str],
        chart: Chart | None = None,
        *,
        told: bytes = b"",
        cluster: bool = True,
    ) -> Ended:
        program = await self._program()
        command = [program, *asked, *(self._where() if cluster else [])]
        try:
            ended = await run(command, patience=self.patience + 30, environment=_environment(), told=told, grace=_GRACE)
        except TimeoutError:
            why = f"helm {asked[0]} {namespace}/{release} was not done within {self.patience:g} seconds"
            raise HelmFailed(why, "timeout") from None
        if ended.code != 0:
            raise explained(asked[0], release, namespace, chart, ended.errors.decode(errors="replace"))
        return ended

    def _where(self) -> list[str]:
        named = ["--kubeconfig", str(self.kubeconfig.expanduser())] if self.kubeconfig else []
        return named + (["--kube-context", self.context] if self.context else [])

    async def _program(self) -> str:
        """Looked for, and asked for its version, once. Raises HelmMissing."""
        if self._checked is None:
            self._checked = asyncio.ensure_future(usable())
        return await asyncio.shield(self._checked)


def program() -> str | None:
    """$MAAS_HELM, else helm in the PATH."""
    return os.environ.get("MAAS_HELM") or shutil.which("helm")


async def usable() -> str:
    found = program()
    if found is None:
        raise HelmMissing("helm is not in the PATH, and $MAAS_HELM names none")
    try:
        ended = await run([found, "version", "--template={{.Version}}"], patience=30.0, environment=_environment())
    except OSError as error:  # TimeoutError is one
        raise HelmMissing(f"{found} cannot be run: {error.strerror or 'no answer'}") from None
    said = ended.output.decode(errors="replace").strip()
    known = version(said)
    if known is None or not at_least(known, FLOOR):
        raise HelmMissing(f"{found} is helm {said.removeprefix('v') or 'of unknown version'}: too old")
    return found


def packed(chart: Chart) -> str:
    """Where a mirror has it."""
    return f"charts/{chart.chart.rpartition('/')[2]}-{chart.version}.tgz"


def _yaml(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values).encode()  # JSON is YAML


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(_ELSEWHERE)}


def _seconds(written: str) -> float:
    try:
        return datetime.fromisoformat(written.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def _under_way(found: Release) -> str:
    where = f"{found.namespace}/{found.name}"
    return (
        f"Helm release {where} is {found.status}: somebody is changing it right now, or was cut short.\n"
        f"Look at it with `helm history {found.name} -n {found.namespace}`. If nobody is at it, take the change back:\n"
        f"  helm rollback {found.name} -n {found.namespace}     (or helm uninstall, if it was never installed)"
    )
