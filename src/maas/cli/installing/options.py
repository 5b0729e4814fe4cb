"""What somebody asked of an installation on a cluster, as one value."""

from dataclasses import dataclass
from pathlib import Path

from maas.cli.output import Shape
from maas.cli.target import Target


@dataclass(frozen=True)
class Cluster:
    """Which one, and where on it."""

    target: Target = Target.auto
    context: str | None = None
    kubeconfig: Path | None = None
    namespace: str = "llm"


@dataclass(frozen=True)
class Models:
    """What is to be served, beside what is served already.

    names: of `--model`. file: a maas.yaml, "-" for stdin; then it is all that is served.
    """

    simulator: bool = False
    qwen3: bool = False
    names: tuple[str, ...] = ()
    file: Path | None = None


@dataclass(frozen=True)
class Choices:
    """None: as it was installed, or as it is by default."""

    tokens_only: bool | None = None
    metrics: bool | None = None
    gpu_operator: bool | None = None
    domain: str | None = None


@dataclass(frozen=True)
class Manner:
    """How a plan is carried out.

    ignore: codes of findings that are no obstacle. timeout: seconds for the whole of it.
    """

    dry_run: bool = False
    diff: bool = False
    yes: bool = False
    timeout: float = 1200.0
    ignore: tuple[str, ...] = ()
    mirror: Path | None = None
    output: Shape = Shape.table


@dataclass(frozen=True)
class Options:
    """
    gpu: the name of the one that models are sized for where no cluster is looked at.
    """

    cluster: Cluster = Cluster()
    models: Models = Models()
    choices: Choices = Choices()
    manner: Manner = Manner()
    check_gpu: bool = False
    render: Path | None = None
    gpu: str | None = None
