"""What the server makes of our objects is still what was wanted: so a second run has nothing to do."""

import pytest

from maas.cluster.objects import Object, name, namespace
from maas.cluster.plan.comparing import is_as_wanted, marked
from maas.cluster.plan.model import Apply
from maas.cluster.resources.making import made
from maas.cluster.resources.steps import steps
from maas.cluster.wanted import Target
from tests.kubernetes.resources.conftest import Server
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, site, wanted

_MODELS = (
    SIMULATOR,
    QWEN3,
    "bucket: {runtime: vllm, weights: 's3://bucket/path'}",
    "claimed: {runtime: vllm, weights: 'pvc://claim/path'}",
    "elsewhere: {runtime: external, url: https://api.example.com/v1, api_key_file: /etc/key}",
)


@pytest.mark.parametrize("target", Target)
def test_stored_it_is_as_wanted(server: Server, target: Target) -> None:
    where = f"stored-{target}"
    server.apply(made("v1", "Namespace", where)).raise_for_status()
    keys = {"/etc/key": "sk-the-key"}
    wish = wanted(*_MODELS, on=site(target, "a100-80"), namespace=where, credentials=keys)
    found = [action.object for step in steps(wish) for action in step.actions if isinstance(action, Apply)]
    changed = [_shown(each) for each in found if each["kind"] != "Namespace" and not _is_kept(server, each)]
    assert changed == []


def _is_kept(server: Server, wanted: Object) -> bool:
    answer = server.apply(marked(wanted, ours=True))
    assert answer.is_success, answer.text
    return is_as_wanted(wanted, answer.json())


def _shown(object: Object) -> str:
    return f"{object['kind']} {namespace(object)}/{name(object)}"
