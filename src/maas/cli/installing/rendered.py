"""maas install --render: everything as files for GitOps, without a cluster."""

from dataclasses import replace

from maas.cli.installing import on_cluster, wanting
from maas.cli.installing.options import Options
from maas.cli.output import Shape, show_json
from maas.cli.target import Target, configured_cluster
from maas.cluster import rendering, sites
from maas.cluster.wanted import Site, Wanted
from maas.cluster.wanted import Target as Platform
from maas.domain.errors import InvalidInput
from maas.models import gpus
from maas.models.sizing.fit import Device

_USUAL = "a100-80"  # where nobody says what GPU there is


def render(options: Options) -> None:
    """With a target that is named, no cluster is asked. Raises InvalidInput."""
    assert options.render is not None
    wanted = _wanted(options)
    files = rendering.render(wanted, options.render)
    if options.manner.output is Shape.json:
        about = {"outcome": "rendered", "target": str(wanted.site.target), "folder": str(options.render)}
        show_json({**about, "files": sorted(str(file) for file in files)})
        return
    print(f"Wrote {len(files)} files to {options.render}, for {_described(wanted)}.")
    print(f"{options.render}/README.md says in which order they are applied, and what has to be there first.")


def _wanted(options: Options) -> Wanted:
    if options.cluster.target is not Target.auto:
        site = _assumed(options)
        return wanting.wanted(options, site, None)
    if not (options.cluster.context or options.cluster.kubeconfig or configured_cluster()):
        raise InvalidInput("--render without a cluster has to know for what: --target kubernetes or openshift")
    if options.gpu:
        raise InvalidInput("--gpu says what to size models for where no cluster tells: name the --target, too")
    return on_cluster.looked(options)[1]


def _assumed(options: Options) -> Site:
    target = Platform(options.cluster.target.value)
    return replace(sites.assumed(target, _device(options)), pod_monitors=options.choices.metrics is not False)


def _device(options: Options) -> Device | None:
    named = options.gpu or _USUAL
    card = gpus.find(named)
    if card is None:
        known = ", ".join(each.name for each in gpus.ALL)
        raise InvalidInput(f"--gpu {named}: there is no such GPU in the table ({known})")
    return Device(card.name, card.total, card.capability)


def _described(wanted: Wanted) -> str:
    gpu = f", models sized for {wanted.site.gpus[0].device.name}" if wanting.on_gpus(wanted.platform) else ""
    return f"{wanted.site.target}{gpu}"
