import random
from collections.abc import Iterator

import pytest

from tests.weights.hub import Hub, serving

CONTENT = random.Random(1).randbytes(300_000)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("MAAS_WEIGHTS_MIRROR", raising=False)
    with serving(Hub({"model-Q8_0.gguf": CONTENT, "model-Q4_K_M.gguf": b"small", "README.md": b"read"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub
