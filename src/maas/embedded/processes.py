"""The processes of the platform, as the supervisor is told of them."""

import sys
from collections.abc import Iterable

from maas.embedded.envoy import bootstrap
from maas.embedded.home import Home
from maas.embedded.instances import Instance
from maas.embedded.supervisor.spec import Spec

CONTROL, GATEWAY = "control", "gateway"
_DRAIN = 30.0  # seconds for answers under way when the platform stops


def specs(home: Home, running: Iterable[Instance]) -> list[Spec]:
    models = [spec for instance in running if (spec := instance.process)]
    return [_control(home), *models, _gateway(home)]


def _control(home: Home) -> Spec:
    argv = (sys.executable, "-m", "maas.api", "--home", str(home.root))
    return Spec(CONTROL, argv, str(home.logs / "control.log"), order=0, ready=str(home.api_socket))


def _gateway(home: Home) -> Spec:
    """Started last and stopped first, so that it always has somebody to ask."""
    argv = bootstrap.argv(home, bootstrap.find_binary())
    log = str(home.logs / "gateway.log")
    stop = (sys.executable, "-m", "maas.embedded.envoy.stop", str(home.root), f"{_DRAIN:g}")
    grace = _DRAIN + 5  # for the command itself
    return Spec(GATEWAY, tuple(argv), log, stop=stop, stop_grace=grace, order=2, ready=str(home.admin_socket))
