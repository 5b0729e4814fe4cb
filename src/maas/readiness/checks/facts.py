"""What the facts themselves lack, other than kinds of objects, which MAAS-114 tells (MAAS-900…999)."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts, Unread
from maas.cluster.facts.packages import PROBE as PACKAGES
from maas.cluster.facts.stray_keys import PROBE as STRAY_KEYS
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import brief, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, warning
from maas.readiness.wording import count

_SHOWN = 5
_PROBES = frozenset({"access", "dns", "dry_run_issuer", "tools", PACKAGES, STRAY_KEYS})


@check(
    "MAAS-901",
    "every file of the snapshot is readable",
    Category.facts,
    wanted="YAML, JSON or logs in every file",
    severity=Severity.warning,
    looks="Files of the snapshot that could not be read: broken YAML or JSON, too large, no permission, cut short.",
    why="What such a file holds is missing, and checks may judge the cluster by the rest.",
    mend="Export the object again, or take the snapshot anew with `maas snapshot`.",
)
def files_readable(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if facts.source.live:
        yield skipped("there is no snapshot: the cluster itself was read")
        return
    if not facts.unreadable:
        yield passed("all files were read")
        return
    files = sorted(facts.unreadable.items())
    more = [Seen(f"and {len(files) - _SHOWN} more")] if len(files) > _SHOWN else []
    yield failed(
        f"{count(len(files), 'file')} of the snapshot could not be read",
        *(Seen(f"file {name}", value=why) for name, why in files[:_SHOWN]),
        *more,
        remedy=Remedy("Export them again, or take the snapshot anew.", ("maas snapshot -o snapshot.tar.gz",)),
    )


@check(
    "MAAS-902",
    "what was tried gave an answer",
    Category.facts,
    wanted="an answer to each probe: access reviews, a dry-run create, names resolved, tools found",
    severity=Severity.warning,
    looks="What was tried against the cluster, beyond reading objects, and gave no answer; and what probes.json of a "
    "snapshot holds under names that are not known.",
    why="The checks that need the answer say unknown.",
    mend="See the reason: mostly missing rights or a server that was slow. Try again, with a longer --timeout.",
)
def probes_answered(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    tried = {name: probe for name, probe in facts.probes.items() if name in _PROBES}
    silent = {name: probe for name, probe in tried.items() if isinstance(probe, Unread)}
    for name, probe in sorted(silent.items()):
        yield failed(
            f"there was no answer: {probe.reason}",
            remedy=Remedy("Try again with more time, or with more rights.", ("maas preflight --timeout 2m",)),
            about=name.replace("_", " "),
        )
    if others := sorted(facts.probes.keys() - _PROBES):
        yield warning(
            f"{count(len(others), 'entry', 'entries')} of probes.json under names that are not known: not looked at",
            *some(Seen("probes.json", brief(name)) for name in others),
            remedy=Remedy("Read the snapshot with the release of maas that took it."),
            about="probes.json",
        )
    if not tried:
        yield skipped("nothing was tried: a snapshot can be read only")
    elif not silent:
        yield passed(f"{count(len(tried), 'probe')} answered")


@check(
    "MAAS-903",
    "logs were read",
    Category.facts,
    wanted="the last lines of the platform's pods",
    severity=Severity.warning,
    phases=AFTER,
    looks="Whether there are logs among the facts.",
    why="Some known problems show in logs alone.",
    mend="`maas doctor` reads logs; `maas snapshot` saves them.",
)
def logs_read(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if facts.logs:
        yield passed(f"the logs of {count(len({(log.namespace, log.pod) for log in facts.logs}), 'pod')}")
    else:
        yield skipped("no logs were read: signs that only logs show are not looked for")
