"""Commands that the doctor and failed steps name are those that help as they stand."""

from typing import Any

import pytest

from maas.cluster.applying.failure import Report, written
from maas.cluster.plan.model import Step
from maas.readiness import chapters
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.installing import absent


@pytest.mark.parametrize(
    ("paths", "base"), [(["/simulator/v1"], "/simulator/v1"), (["/v1"], "/v1"), (["/"], "/v1"), ([], "/v1")]
)
def test_a_model_is_asked_where_its_route_leads(paths: list[str], base: str) -> None:
    matches = [{"path": {"type": "PathPrefix", "value": path}} for path in paths]
    route: dict[str, Any] = {"spec": {"rules": [{"matches": matches}]}}
    assert chapters._base(route) == base


@pytest.mark.parametrize(
    ("step", "command"), [("gpu-operator", "`maas install --gpu-operator`"), ("kserve", "`maas install`")]
)
def test_what_is_missing_is_installed_by_a_command_that_brings_it(step: str, command: str) -> None:
    remedy = absent(Asked(Target.kubernetes, phase=Phase.after), "not there", step=step).remedy
    assert remedy is not None and command in remedy.text


def test_what_nobody_can_mend_for_you_is_to_be_mended_first() -> None:
    said = written(Report(Step("kserve", "KServe", ""), "KServe", "a chart", "no such host"))
    assert said.endswith(
        "What to do\n  Mend what was found, then run the same command again: what is done is not done\n    twice."
    )
