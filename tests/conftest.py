"""What all tests have in common: seeded randomness without a stopwatch, and an order in which nobody waits at the end.

Randomness is seeded: a run finds what the run before found, and never something new on a day when nothing changed.
`MAAS_HYPOTHESIS=explore python -m pytest …` looks elsewhere each time: for who has just written a property.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("seeded", derandomize=True, database=None, deadline=None)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("MAAS_HYPOTHESIS", "seeded"))

_LONG = ("kubernetes/installation/", "kubernetes/install_command/", "kubernetes/openshift/", "kubernetes/control/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole installations take minutes in one file each: first, so that other workers go on beside them."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in _LONG))
