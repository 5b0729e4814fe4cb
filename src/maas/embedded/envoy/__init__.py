"""Envoy, from the platform's description to a running gateway.

Pure functions turn the platform into what Envoy reads; one function writes it; one asks Envoy whether it follows.
All that can change lives in files that Envoy watches. An xDS server of our own was rejected: a file needs no
protocol, can be read by whoever debugs, and is still there when the control plane is not.

    config = configuration(home, platform.gateway, upstreams, tls.ensure(home, platform.gateway, now))
    write(config)                     # before the first start
    argv(home, find_binary())         # starts it
    await in_force(home, config)      # it serves
    await apply(home, config)         # any later change; if Envoy rejects it, it goes on as before
    await admin.stop(home)            # answers under way finish; SIGTERM would cut them off
"""

from maas.embedded.envoy.admin import Rejected, apply, in_force
from maas.embedded.envoy.bootstrap import argv, find_binary
from maas.embedded.envoy.clusters import Failover, HostPort, Upstream
from maas.embedded.envoy.files import Configuration, configuration, write

__all__ = [
    "Configuration",
    "Failover",
    "HostPort",
    "Rejected",
    "Upstream",
    "apply",
    "argv",
    "configuration",
    "find_binary",
    "in_force",
    "write",
]
