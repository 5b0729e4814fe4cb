"""Ports for what a test starts: below those from which the system takes some for outgoing connections."""

import contextlib
import random
import socket

_RANDOM = random.SystemRandom()  # not the seeded one: Hypothesis seeds it alike in each worker


def free_port() -> int:
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", _RANDOM.randrange(20_000, 32_000)))
            return int(probe.getsockname()[1])


def free_ports() -> tuple[int, int, int]:
    """Three that differ."""
    first, second, third = free_port(), free_port(), free_port()
    return (first, second, third) if len({first, second, third}) == 3 else free_ports()
