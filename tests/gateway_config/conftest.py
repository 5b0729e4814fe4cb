from collections.abc import Iterator

import pytest

from tests.gateway_config.running import Running, admit, reply, running


@pytest.fixture(scope="module")
def one_for_all() -> Iterator[Running]:
    with running() as gateway:
        yield gateway


@pytest.fixture
def up(one_for_all: Running) -> Running:
    """One Envoy for the tests of a module; its stubs behave as usual at the start of each."""
    one_for_all.admission.handler, one_for_all.model.handler = admit, reply
    one_for_all.admission.asked.clear()
    one_for_all.model.asked.clear()
    one_for_all.model.steps = None
    return one_for_all
