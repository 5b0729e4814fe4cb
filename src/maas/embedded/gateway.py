"""The gateway's configuration for a set of model servers, with a certificate that is good."""

import time
from collections.abc import Iterable

from maas.domain.errors import InvalidInput
from maas.domain.platform import Gateway
from maas.embedded.envoy import files
from maas.embedded.home import Home
from maas.embedded.instances import Instance


def described(home: Home, gateway: Gateway, running: Iterable[Instance]) -> files.Configuration:
    """Raises InvalidInput when the user's own certificate can't be used, OSError."""
    from maas.embedded import tls  # brings `cryptography`, which a control plane that comes back has no time for

    written = files.written_certificate(home)
    certificate = tls.ensure(home, gateway, time.time(), serving=written and tls.Pair(*written))
    upstreams = [upstream for instance in running for upstream in instance.upstreams]
    return files.configuration(home, gateway, upstreams, certificate)


def certificate_trouble(gateway: Gateway) -> str | None:
    """Why clients don't accept the user's own certificate by now, if so: it is served on, and should be renewed."""
    from maas.embedded import tls

    try:
        tls.require_valid_now(gateway, time.time())
    except InvalidInput as error:
        return str(error)
    return None
