"""maas install on this machine: set the platform up, start it, and prove that it works."""

from collections.abc import Mapping

from maas.cli import first_key, served, up, welcome
from maas.cli.frame import home
from maas.cli.installing import remembered
from maas.cli.output import notes
from maas.domain.errors import InvalidInput
from maas.domain.platform_file import default_text, editing
from maas.embedded import platform as embedded
from maas.embedded import proof
from maas.embedded.home import Home
from maas.embedded.supervisor.files import replace_file


def install(*, simulator: bool, cpu: bool, qwen3: bool, check_gpu: bool, database_url: str | None) -> None:
    if check_gpu and (cpu or not qwen3):  # else it is looked at for the model itself
        served.fitting_gpu()
    here = home()
    here.prepare()
    remembered.forget(here)  # from now on, commands mean this machine
    _configure(here, served.wanted(simulator=simulator, cpu=cpu, on_gpu=qwen3))
    if embedded.runs(here):
        _stop(here)  # what runs is the old code
    if database_url:
        up.remember_database(here, database_url)
    up.bring_up(here)
    _prove(here)


def _configure(here: Home, wanted: Mapping[str, served.Spec]) -> None:
    """What maas.yaml says already stays; models that were asked for and are not in it are added."""
    if here.config.exists():
        before = text = here.config.read_text()
        known = set(embedded.configuration(here).models)  # mistakes are better found while the old platform runs
        notes().print(f"Keeping {here.config}")
    elif wanted:
        before, text = "", default_text()
        known = set(wanted) & {"simulator"}
        if not known:
            text = editing.without_model(text, "simulator")
    else:
        raise InvalidInput("say what to serve: --simulator, --cpu or --qwen3, or write a maas.yaml first (`maas init`)")
    for name in wanted.keys() - known:
        text = editing.with_model(text, name, wanted[name])
    if text != before:
        replace_file(here.config, text)
        notes().print(f"Wrote {here.config}")


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
