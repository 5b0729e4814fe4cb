"""All checks, by code: what each looks at, why it matters, and how to mend what it finds.

A check is a function from facts to outcomes, declared beside its texts:

    @check(
        "MAAS-101",
        "the cluster is new enough",
        Category.platform,
        wanted="OpenShift 4.14 or Kubernetes 1.28, or newer",
        looks="…", why="…", mend="…",
        covers=("Platform Requirements",),
    )
    def version_floor(facts: Facts, asked: Asked) -> Iterator[Outcome]: ...

Codes are never used for something else: a check that goes away leaves its code in RETIRED.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from maas.cluster.facts.model import Facts
from maas.readiness.findings import Category, Outcome, Severity


class Target(StrEnum):
    kubernetes = "kubernetes"
    openshift = "openshift"
    local = "local"  # this machine: no cluster at all; only maas validate looks at it


class Phase(StrEnum):
    before = "before"  # maas preflight
    after = "after"  # maas validate, and maas doctor
    traffic = "traffic"  # maas validate with a gateway that runs: readiness/traffic judges these, not judging.judge
    machine = "machine"  # maas validate of the platform on this machine: readiness/traffic/machine.py


@dataclass(frozen=True)
class Asked:
    """What somebody wants to do with the cluster.

    models: "simulator", "qwen3" or names of further ones; gpu: models are to run on GPUs.
    namespace: where models and the gateway are to live, or live.
    """

    target: Target
    phase: Phase = Phase.before
    gpu: bool = False
    models: frozenset[str] = frozenset({"simulator"})
    namespace: str = "llm"


Judge = Callable[[Facts, Asked], Iterable[Outcome]]


@dataclass(frozen=True)
class Check:
    code: str
    title: str
    category: Category
    severity: Severity
    phases: frozenset[Phase]
    wanted: str
    looks: str  # what it checks, for `maas explain MAAS-101` and docs/checks.md
    why: str
    mend: str
    covers: tuple[str, ...]  # the headings, issues and checklist lines of the prerequisites that it answers
    after: tuple[str, ...]  # codes: where one of these failed, this one's failure is likely its consequence
    judge: Judge = field(repr=False)


RETIRED: frozenset[str] = frozenset()
_CHECKS: dict[str, Check] = {}
BOTH = frozenset({Phase.before, Phase.after})
BEFORE = frozenset({Phase.before})
AFTER = frozenset({Phase.after})
TRAFFIC = frozenset({Phase.traffic})
MACHINE = frozenset({Phase.machine})


def check(
    code: str,
    title: str,
    category: Category,
    *,
    wanted: str,
    looks: str,
    why: str,
    mend: str,
    severity: Severity = Severity.error,
    phases: frozenset[Phase] = BOTH,
    covers: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
) -> Callable[[Judge], Judge]:
    def declared(judge: Judge) -> Judge:
        if code in _CHECKS or code in RETIRED:
            raise ValueError(f"{code} is taken")
        _CHECKS[code] = Check(code, title, category, severity, phases, wanted, looks, why, mend, covers, after, judge)
        return judge

    return declared


def checks() -> Iterator[Check]:
    """All of them, in the order in which they are shown."""
    _load()
    order = list(Category)
    yield from sorted(_CHECKS.values(), key=lambda check: (order.index(check.category), check.code))


def find(code: str) -> Check | None:
    _load()
    return _CHECKS.get(code.upper())


def _load() -> None:
    """The modules of checks declare themselves when imported: all that are in the three packages."""
    from importlib import import_module
    from pkgutil import iter_modules

    from maas.readiness import checks, known_issues
    from maas.readiness.traffic import checks as traffic

    for package in (checks, known_issues, traffic):
        for module in iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")
