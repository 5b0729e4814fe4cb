from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from maas.api.app import create_app
from tests.api.fake import FakeControl


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def api(control: FakeControl) -> Iterator[TestClient]:
    with TestClient(create_app(control, lambda: control.now), raise_server_exceptions=False) as client:
        yield client
