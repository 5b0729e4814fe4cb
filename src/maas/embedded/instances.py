"""A model's server as the gateway and the supervisor know it.

Its name carries a digest of everything it must be restarted for. A changed model is therefore another instance,
which is started beside the old one and takes over when it is ready: nobody's request is cut off.
"""

import hashlib
import json
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from maas.domain.platform import Endpoint, Model, Platform
from maas.embedded import credentials
from maas.embedded.envoy.clusters import Failover, HostPort, Upstream
from maas.embedded.envoy.names import BODY_LIMIT
from maas.embedded.home import Home
from maas.embedded.supervisor.spec import Spec
from maas.models.runtimes import RUNTIMES

_STOP_GRACE = 30.0


@dataclass(frozen=True)
class Instance:
    name: str
    model: Model
    home: Home

    @property
    def upstreams(self) -> list[Upstream | Failover]:
        """What the gateway has to know. Of several endpoints, there is one way in for each that may be the first."""
        endpoints = self.model.endpoints
        if not endpoints:
            reused = RUNTIMES[self.model.runtime].keeps_connections
            return [Upstream(self.name, self.socket, reused=reused)]
        if len(endpoints) == 1:
            return [self._elsewhere(self.name, endpoints[0], watched=False)]
        names = [f"{self.name}/{index}" for index in range(len(endpoints))]
        each = [self._elsewhere(name, endpoint, watched=True) for name, endpoint in zip(names, endpoints, strict=True)]
        orders = [each[first:] + each[:first] for first in range(len(each))]
        ways = zip(self.ways_in, orders, strict=True)
        return [*each, *(Failover(way, tuple(order)) for way, order in ways)]

    @property
    def ways_in(self) -> list[str]:
        """The gateway's clusters for it: one for each endpoint that may come first."""
        count = len(self.model.endpoints)
        return [f"{self.name}#{first}" for first in range(count)] if count > 1 else [self.name]

    def _elsewhere(self, name: str, endpoint: Endpoint, *, watched: bool) -> Upstream:
        url = urlsplit(endpoint.url)
        tls = url.scheme == "https"
        return Upstream(
            name,
            HostPort(url.hostname or "", url.port or (443 if tls else 80)),
            tls,
            url.path.rstrip("/").removesuffix("/v1"),
            credentials.read(endpoint.api_key_file),
            known_as=self.model.name,
            served_name=self.model.served_name,
            show_errors=self.model.show_errors,
            watched=watched,
        )

    @property
    def process(self) -> Spec | None:
        """None for a server that somebody else runs."""
        runtime = RUNTIMES.get(self.model.runtime)
        if runtime is None:
            return None
        return Spec(
            self.name,
            tuple(self._simulator() if self.model.runtime == "simulator" else self._served()),
            str(self.home.logs / f"{self.model.name}.log"),
            stop_grace=_STOP_GRACE,
            order=1,
            ready=str(self.socket),
            health=runtime.health,
        )

    @property
    def socket(self) -> Path:
        """Where its process listens."""
        return self.home.model_socket(self._digest)

    @property
    def patience(self) -> float:
        """Seconds that its process may take to be ready."""
        return RUNTIMES[self.model.runtime].start

    def _served(self) -> list[str]:
        model = self.model
        argv = [sys.executable, "-m", "maas.models.serve", "--runtime", model.runtime, "--name", model.name]
        argv += ["--weights", model.weights or "", "--folder", str(self.home.weights)]
        argv += ["--socket", str(self.socket)]
        if model.context_length is not None:
            argv += ["--context-length", str(model.context_length)]
        return argv + [part for name, value in model.options.items() for part in ("--option", f"{name}={value}")]

    def _simulator(self) -> list[str]:
        argv = [sys.executable, "-m", "maas.models.simulator", "--uds", str(self.socket), "--model", self.model.name]
        argv += ["--max-request-body-size-mb", str(BODY_LIMIT // 2**20)]
        if self.model.context_length is not None:
            argv += ["--max-model-len", str(self.model.context_length)]
        for option, value in self.model.options.items():
            argv += [f"--{option}", value]
        return argv

    @property
    def _digest(self) -> str:
        return self.name.rpartition("@")[2]


def instance(model: Model, home: Home) -> Instance:
    restarts_for = [
        model.name,
        model.runtime,
        [astuple(endpoint) for endpoint in model.endpoints],
        sorted(model.options.items()),
        model.context_length,
        model.weights,
        model.served_name,
        model.show_errors,
    ]
    digest = hashlib.sha256(json.dumps(restarts_for).encode()).hexdigest()[:12]
    return Instance(f"{model.name}@{digest}", model, home)


def instances(platform: Platform, home: Home) -> dict[str, Instance]:
    """By the model's name."""
    return {name: instance(model, home) for name, model in platform.models.items()}
