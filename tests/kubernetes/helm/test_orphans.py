"""A helm that outlives the run which started it, and whose record is not there yet when the next run looks for it."""

import asyncio
from pathlib import Path

import pytest

from maas.cluster.helm import Helm
from maas.cluster.helm_failures import HelmFailed
from maas.cluster.plan.model import Chart

_CHART = Chart("web", "shop", "oci://example.com/charts/web", "1.0.0")
_MET = "UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress"
_SCRIPT = """\
#!/bin/sh
if [ "$1" = version ]; then echo v3.22.0; exit; fi
echo "$1" >> {log}
[ "$(wc -l < {log})" -gt {times} ] && exit 0
echo "Error: {words}" >&2
exit 1
"""


def _helm(folder: Path, monkeypatch: pytest.MonkeyPatch, words: str, times: int) -> Path:
    """A program that fails so many times, and where it notes its calls."""
    program, log = folder / "helm", folder / "calls"
    program.write_text(_SCRIPT.format(log=log, times=times, words=words))
    program.chmod(0o755)
    monkeypatch.setenv("MAAS_HELM", str(program))
    return log


@pytest.mark.parametrize(
    "words",
    [
        _MET,
        'create: failed to create: secrets "sh.helm.release.v1.web.v1" already exists',
        "release: already exists",
        "cannot re-use a name that is still in use",
    ],
)
def test_it_is_let_finish_and_gone_on_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    calls = _helm(tmp_path, monkeypatch, words, times=1)
    asyncio.run(Helm().upgrade_install(_CHART))
    assert calls.read_text().split() == ["upgrade", "upgrade"]


@pytest.mark.parametrize(("words", "attempts"), [(_MET, 4), ("UPGRADE FAILED: exceeded quota", 1)])
def test_what_does_not_pass_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, attempts: int
) -> None:
    calls = _helm(tmp_path, monkeypatch, words, times=9)
    with pytest.raises(HelmFailed):
        asyncio.run(Helm().upgrade_install(_CHART))
    assert len(calls.read_text().split()) == attempts
