"""The files Envoy reads. Each is replaced as a whole by a rename: Envoy never sees half of one."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maas.domain.platform import Gateway
from maas.embedded.atomic import replace
from maas.embedded.envoy import bootstrap
from maas.embedded.envoy.clusters import Failover, Upstream, model_clusters
from maas.embedded.envoy.listeners import listeners
from maas.embedded.envoy.names import TYPE, Json
from maas.embedded.home import Home

if TYPE_CHECKING:
    from maas.embedded.tls import Pair


@dataclass(frozen=True)
class Configuration:
    """files: path → content. versions: what Envoy reports once it has taken them over, by "cds" and "lds"."""

    files: Mapping[Path, bytes]
    versions: Mapping[str, str]


def configuration(
    home: Home, gateway: Gateway, upstreams: Iterable[Upstream | Failover], certificate: "Pair"
) -> Configuration:
    cds = _resources("envoy.config.cluster.v3.Cluster", model_clusters(upstreams))
    lds = _resources("envoy.config.listener.v3.Listener", listeners(home, gateway))
    return Configuration(
        {
            bootstrap.bootstrap_file(home): _encode(bootstrap.bootstrap(home)),
            bootstrap.sds_file(home): _encode(_certificate(certificate)),
            bootstrap.cds_file(home): _encode(cds),
            bootstrap.lds_file(home): _encode(lds),
        },
        {"cds": cds["version_info"], "lds": lds["version_info"]},
    )


def write(config: Configuration) -> None:
    """The certificate and the clusters before the listeners that need them. Raises OSError."""
    for path, content in config.files.items():
        replace(path, content)


def written_certificate(home: Home) -> tuple[bytes, bytes] | None:
    """The chain and the key that Envoy has been given; None if there are none that can be read."""
    try:
        document = json.loads(bootstrap.sds_file(home).read_bytes())
        pair = document["resources"][0]["tls_certificate"]
        return pair["certificate_chain"]["inline_string"].encode(), pair["private_key"]["inline_string"].encode()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _certificate(pair: "Pair") -> Json:
    """The pair is one file, so that no moment sees a certificate with another one's key."""
    secret = {
        "name": "server",
        "tls_certificate": {
            "certificate_chain": {"inline_string": pair.chain.decode()},
            "private_key": {"inline_string": pair.key.decode()},
        },
    }
    return _resources("envoy.extensions.transport_sockets.tls.v3.Secret", [secret])


def _resources(message: str, resources: list[Json]) -> Json:
    """A discovery response; its version is a digest of what it holds."""
    typed = [{"@type": f"{TYPE}{message}", **resource} for resource in resources]
    return {"version_info": hashlib.sha256(_encode(typed)).hexdigest()[:16], "resources": typed}


def _encode(content: Json | list[Json]) -> bytes:
    return json.dumps(content, indent=1).encode()
