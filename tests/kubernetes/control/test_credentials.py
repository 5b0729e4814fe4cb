"""Whose key files are read on the machine of whoever administers: none that only the cluster's own maas.yaml names."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import pytest

from maas.cluster.api import Api
from maas.cluster.control import changing
from maas.cluster.control.control import ClusterControl
from maas.cluster.document import Document
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from maas.domain.errors import InvalidInput

_SPEC = {"runtime": "external", "url": "https://api.example.com"}


class _Control(ClusterControl):
    async def load(self) -> None: ...

    def holding(self, text: str) -> "_Control":
        self._document, self._platform = Document(text), platform_file.load(text)
        return self


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The files that each change would have read."""
    found: list[set[str]] = []

    async def change(_: Api, document: Document, namespace: str, watch: Any, given: Collection[str] | None) -> None:
        wanted: Wanted = changing.checked(document, Target.kubernetes, namespace)
        found.append(set(changing._with_credentials(wanted, given).credentials))

    monkeypatch.setattr(changing, "change", change)
    return found


def test_only_files_of_models_that_were_given(tmp_path: Path, read: list[set[str]]) -> None:
    planted, mine = tmp_path / "id_rsa", tmp_path / "mine"
    planted.write_text("a file of the administrator's")
    mine.write_text("sk-mine")
    entry = f"{{runtime: external, url: https://evil.example.com, api_key_file: {planted}}}"
    text = f"models:\n  planted: {entry}\n  spare: {{runtime: simulator}}\n"
    control = _Control(cast(Api, None), "llm", Target.kubernetes).holding(text)
    asyncio.run(control.add_model("added", {**_SPEC, "api_key_file": str(mine)}, "me"))
    asyncio.run(control.remove_model("spare", "me"))
    asyncio.run(control.apply(text, False, "me"))
    assert read == [{str(mine)}, set(), {str(planted)}], "who applies a file has given all that is in it"


def test_a_file_that_is_not_there_is_told_before_anything_is_changed(tmp_path: Path, read: list[set[str]]) -> None:
    control = _Control(cast(Api, None), "llm", Target.kubernetes).holding("models:\n  spare: {runtime: simulator}\n")
    with pytest.raises(InvalidInput, match=r"the key of the endpoint is to be read from .*/away: No such file"):
        asyncio.run(control.add_model("added", {**_SPEC, "api_key_file": str(tmp_path / "away")}, "me"))
    assert read == []
