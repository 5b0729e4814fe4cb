"""llama.cpp's own server and SmolLM2's weights, where they are to be found; who needs them is skipped elsewhere.

./install.sh --cpu builds the one and brings the other. $MAAS_LLAMA_SERVER and $MAAS_TEST_GGUF name them as well.
"""

import os
from pathlib import Path

import pytest

from maas.domain.errors import Unavailable
from maas.embedded.home import Home, default_root
from maas.models import llama_cpp
from maas.models.weights import places


def server() -> str:
    try:
        return llama_cpp.program()
    except Unavailable as away:
        pytest.skip(str(away))


def weights() -> Path:
    named = os.environ.get("MAAS_TEST_GGUF")
    place = Path(named) if named else places.packaged_place(Home(default_root()).weights)
    if not place.exists():
        pytest.skip(f"no weights at {place}: `maas models pull smollm2` brings them, or $MAAS_TEST_GGUF names some")
    return place
