"""Every format as it was agreed: a change shows as a difference to look at.

`python -m tests.kubernetes.reports.sample` writes the golden files anew.
"""

import pytest

from maas.readiness.reports import Format, Look
from tests.kubernetes.reports.sample import GOLDEN, LOOK, SUFFIX, rendered


@pytest.mark.parametrize("format", Format)
def test_as_agreed(format: Format) -> None:
    assert rendered(format) == (GOLDEN / f"{format}.{SUFFIX[format]}").read_text()


@pytest.mark.parametrize("format", [Format.table, Format.short])
def test_80_columns_but_for_commands(format: Format) -> None:
    for line in rendered(format, LOOK).splitlines():
        assert len(line) <= 80 or line.strip().startswith(("kubectl ", "oc ")), line


def test_a_pipe_gets_each_message_in_one_line() -> None:
    assert "KServe's configuration is not yet what models need: without it, InferenceServices wait" in rendered(
        Format.table, Look()
    )
