"""The options that preflight, validate and doctor share, declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from maas.domain import durations
from maas.readiness.reports import Format


class TargetChoice(StrEnum):
    auto = "auto"
    kubernetes = "kubernetes"
    openshift = "openshift"


def seconds(text: str | float) -> float:
    """For options that take a duration."""
    if not isinstance(text, str):
        return text
    try:
        return durations.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


From = Annotated[
    Path | None,
    typer.Option("--from", metavar="SNAPSHOT", help="Read a folder or .tar.gz of exported objects, not a cluster."),
]
Context = Annotated[str | None, typer.Option("--context", help="The kubeconfig's context; default: its current one.")]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", metavar="FILE", help="Default: $KUBECONFIG, or ~/.kube/config.")
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", parser=seconds, metavar="DURATION", show_default="60s", help="For reading the cluster."),
]
TargetOption = Annotated[TargetChoice, typer.Option("--target", help="auto asks the cluster what it is.")]
Gpu = Annotated[bool, typer.Option("--gpu", help="Models are to run on GPUs.")]
For = Annotated[
    list[str],
    typer.Option("--for", metavar="MODEL", help="A model that is to run: simulator, qwen3, … Can be repeated."),
]
Namespace = Annotated[str, typer.Option("-n", "--namespace", help="Where models and the gateway are to live.")]
Only = Annotated[
    list[str],
    typer.Option("--only", metavar="CODE", help="These checks alone: MAAS-101, or MAAS-1 for all MAAS-1nn."),
]
Skip = Annotated[list[str], typer.Option("--skip", metavar="CODE", help="Not these checks. Can be repeated.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings count: exit code 4.")]
FormatOption = Annotated[Format, typer.Option("-o", "--output", help="How to print it.")]
