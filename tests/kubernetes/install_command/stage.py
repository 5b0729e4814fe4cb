"""A bare Kubernetes cluster whose addresses cannot be reached from here, and the command as a shell starts it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import maas
from maas.cluster import kinds, sites
from maas.cluster.components import steps
from maas.cluster.objects import text
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from tests.kubernetes.charts import stand_ins
from tests.kubernetes.cluster import Cluster, need, program, running
from tests.kubernetes.clusters import platforms
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.install_command.front_door import Door, front_door, kubectl
from tests.kubernetes.installation import gateways, players
from tests.kubernetes.installation.playing import Deed, Status, playing
from tests.kubernetes.installation.world import World
from tests.kubernetes.seeding import seed

_NOBODY = "127.31.0.9"  # an address where nothing listens


def _cloud(world: World) -> Iterator[Deed]:
    """Gives Services addresses that cannot be reached from here, as a private network's are."""
    for service in world.all(kinds.SERVICE):
        if text(service, "spec", "type") == "LoadBalancer":
            yield Status(service, {"loadBalancer": {"ingress": [{"ip": _NOBODY, "ipMode": "VIP"}]}})


_PLAYERS = tuple(_cloud if player is gateways.cloud else player for player in players.ALL_PLAYERS)
_OTHERS = ("MAAS_DEBUG", "MAAS_DATABASE_URL", "MAAS_TARGET", "KUBERNETES_SERVICE_HOST", "NO_COLOR", "LC_ALL")


@dataclass(frozen=True)
class Stage:
    cluster: Cluster
    folder: Path
    mirror: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _OTHERS}
        return kept | {
            "HOME": str(self.folder),
            "MAAS_HOME": str(self.folder / "home"),
            "MAAS_HELM": str(program("helm")),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(maas.__file__).parents[1]),
            "COLUMNS": "80",
            "LANG": "C.UTF-8",
        }

    def maas(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maas.cli.main", *arguments],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def install(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.maas("install", "--mirror", str(self.mirror), *arguments, **environment)

    @contextlib.contextmanager
    def door(self, *faults: str) -> Iterator[Door]:
        """A way into the gateway, by kubectl."""
        with front_door(self.cluster, *faults) as door:
            kubectl(self.folder / "bin", door)
            yield door
        (self.folder / "bin" / "kubectl").unlink()


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[Stage]:
    """Without even storage. Skips the test where programs are missing."""
    need("helm")
    with running() as cluster, controllers(cluster), playing(cluster, _PLAYERS):
        seed(cluster, [simulated_node("node-0"), simulated_node("node-1")])
        (folder / "bin").mkdir()
        (folder / "kubeconfig").write_text(cluster.kubeconfig().read_text())
        wanted = Wanted(platform_file.load(platform_file.default_text()), sites.assumed(Target.kubernetes))
        mirror = stand_ins.mirrored(steps.steps(wanted), folder / "mirror")
        yield Stage(cluster, folder, mirror)


def with_storage(stage: Stage) -> None:
    seed(stage.cluster, platforms.storage_class("standard", "ebs.csi.aws.com"))
