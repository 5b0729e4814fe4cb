import json
from pathlib import Path

import pytest

from maas.embedded.supervisor.spec import Desired, Spec, read_desired, write_desired


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    spec = Spec("gateway", ("/bin/envoy", "-c", "x"), "envoy.log", {"A": "b"}, ("/bin/ask",), 15.0, 2, "127.0.0.1:8080")
    write_desired(tmp_path / "desired.json", desired := Desired("1", (spec,)))
    assert read_desired(tmp_path / "desired.json") == desired


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"generation": 1, "processes": [{}]}',
        '{"generation": 1, "processes": [{"name": "a", "argv": [], "log": "x"}]}',
        '{"generation": 1, "processes": [{"name": "a", "argv": "sh", "log": "x"}]}',
        '{"generation": 1, "processes": [{"name": "a", "argv": ["sh"], "log": "x", "surprise": 1}]}',
        '{"generation": 1, "processes": [{"name": "a", "argv": ["sh"], "log": "x", "ready": "nowhere"}]}',
    ],
)
def test_what_makes_no_sense_is_a_value_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "desired.json").write_text(text)
    with pytest.raises(ValueError):
        read_desired(tmp_path / "desired.json")


def test_a_name_is_given_once(tmp_path: Path) -> None:
    twice = [{"name": "a", "argv": ["sh"], "log": "x"}] * 2
    (tmp_path / "desired.json").write_text(json.dumps({"generation": "1", "processes": twice}))
    with pytest.raises(ValueError, match="twice"):
        read_desired(tmp_path / "desired.json")
