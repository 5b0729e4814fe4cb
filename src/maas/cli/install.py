"""maas install: set the platform up on this machine, start it, and prove that it works."""

from typing import Annotated

import typer

from maas.cli import first_key, up, welcome
from maas.cli.frame import home, noun
from maas.cli.output import notes
from maas.cli.target import NotBuilt, Target, require_local
from maas.domain import platform_file
from maas.domain.errors import InvalidInput
from maas.embedded import platform as embedded
from maas.embedded import proof
from maas.embedded.home import Home
from maas.embedded.supervisor.files import replace_file

app = noun("Set the platform up, start it, and prove that it works.")


@app.command()
def install(
    simulator: Annotated[
        bool, typer.Option("--simulator", help="Serve a simulated model: no GPU, no download.")
    ] = False,
    qwen3: Annotated[bool, typer.Option("--qwen3", help="Serve Qwen3 0.6B (not built yet).")] = False,
    install_all_models: Annotated[
        bool, typer.Option("--install-all-models", help="Serve every model that is known (not built yet).")
    ] = False,
    target: Annotated[
        Target,
        typer.Option(help="auto takes this machine, unless a cluster is configured; clusters are not built yet."),
    ] = Target.auto,
    database_url: up.DatabaseUrl = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Run models on the CPU (not built yet).")] = False,
    check_gpu: Annotated[bool, typer.Option("--check-gpu", help="Look for GPUs first (not built yet).")] = False,
) -> None:
    """Set the platform up on this machine, start it, and send a request through it.

    Run again, it upgrades and restarts the platform; keys and usage stay.

    Example: maas install --simulator
    """
    wanted = {"--qwen3": qwen3, "--install-all-models": install_all_models, "--cpu": cpu, "--check-gpu": check_gpu}
    _refuse_unbuilt([flag for flag, given in wanted.items() if given])
    require_local(target)
    here = home()
    here.prepare()
    _configure(here, simulator)
    if embedded.runs(here):
        _stop(here)  # what runs is the old code
    if database_url:
        up.remember_database(here, database_url)
    up.bring_up(here)
    _prove(here)


def _refuse_unbuilt(flags: list[str]) -> None:
    if flags:
        raise NotBuilt(f"{', '.join(flags)}: not built yet; --simulator works today, and needs no GPU")


def _configure(here: Home, simulator: bool) -> None:
    if here.config.exists():
        embedded.configuration(here)  # a mistake in it is better found while the old platform still runs
        notes().print(f"Keeping {here.config}")
    elif simulator:
        replace_file(here.config, platform_file.default_text())
        notes().print(f"Wrote {here.config}")
    else:
        raise InvalidInput("say what to serve: --simulator, or write a maas.yaml first (`maas init`)")


def _stop(here: Home) -> None:
    notes().print("Stopping the running platform, to start it as it is now")
    embedded.stop(here)


def _prove(here: Home) -> None:
    platform = embedded.configuration(here)
    model = next(iter(platform.models), None)
    if model is None:
        notes().print("No model is served yet; `maas models add` adds one")
        return
    tier = first_key.tier_for(platform, model)
    first = not first_key.any_active()
    with first_key.first(tier) if first else first_key.passing(tier) as key:
        took = proof.ask(here, platform.gateway, key, model)
        notes().print(f"A request went through in {took * 1000:.0f} ms")
    print(f"\n{welcome.text(here, platform, model, key if first else None)}")
