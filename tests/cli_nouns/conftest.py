"""The commands as people run them, against the management API with a control plane in memory (tests/api/fake.py)."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from maas.api.app import create_app
from maas.cli import client, frame, who
from maas.cli.main import COMMANDS
from tests.api.fake import FakeControl

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Run = Callable[..., Said]


class _ToTheApp(httpx.BaseTransport):
    def __init__(self, app: TestClient) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._app.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def maas(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Run]:
    """maas("keys", "list", stdin="..."): what it printed, and its exit code."""
    monkeypatch.setenv("MAAS_HOME", str(tmp_path))
    monkeypatch.setattr(who, "user", lambda: "olga")
    monkeypatch.setenv("COLUMNS", "80")
    with TestClient(create_app(control, lambda: control.now)) as app:
        monkeypatch.setattr(client, "transport", lambda: _ToTheApp(app))

        def run(name: str, *arguments: str, stdin: str = "") -> Said:
            monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
            capsys.readouterr()
            code = frame.run(name, COMMANDS[name][0], list(arguments))
            return Said(code, *capsys.readouterr())

        yield run


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares with golden/NAME.txt; MAAS_UPDATE_GOLDEN=1 writes it instead, for a look at the diff."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("MAAS_UPDATE_GOLDEN"):
            path.write_text(text)
        assert text == path.read_text()

    return compare
