from collections.abc import Iterator

import pytest

from tests.running import Running, running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    """One platform for the tests of a module; each uses users of its own."""
    with running() as platform:
        yield platform
