from pathlib import Path

import pytest


@pytest.fixture
def bin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is all there is on the PATH; nothing of this machine is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "cat").symlink_to("/bin/cat")
    (folder / "sleep").symlink_to("/bin/sleep")
    monkeypatch.setenv("PATH", str(folder))
    for name in ("MAAS_VLLM", "MAAS_LLAMA_SERVER", "MAAS_WEIGHTS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    return folder
