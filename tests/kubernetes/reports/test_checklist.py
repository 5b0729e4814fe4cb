"""The first screen: the lines that people know, each with the finding that decides."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.cluster import kinds
from maas.cluster.kinds import Kind
from maas.readiness.catalogue import Phase, Target
from maas.readiness.findings import Finding, Status
from maas.readiness.reports import Format, Look
from maas.readiness.reports.checklist import LINES, checklist
from maas.readiness.reports.quick import quick
from tests.kubernetes import shared
from tests.kubernetes.offline import asked, facts
from tests.kubernetes.reports.sample import ASKED, cluster, findings, rendered

_ONE = findings()[0]  # MAAS-101, which covers the first line
_FIELDS = st.sampled_from(
    ("metadata", "labels", "annotations", "name", "namespace", "status", "spec", "conditions", "type", "capacity")
) | st.sampled_from(
    ("provisioner", "controllerName", "desired", "version", "history", "state", "nvidia.com/gpu", "phase")
)
_MARKS = {
    Status.passed: "x",
    Status.warning: "!",
    Status.failed: " ",
    Status.to_install: "+",
    Status.unknown: "?",
    Status.skipped: "-",
}


def first_line(*some: Finding) -> str:
    told = rendered(Format.table, Look(), some)
    return next(line for line in told.splitlines() if LINES[0] in line)


@pytest.mark.parametrize("status", Status)
def test_a_mark_for_every_status(status: Status) -> None:
    line = first_line(replace(_ONE, status=status, message="because"))
    assert line == f"[{_MARKS[status]}] {LINES[0]}: because"


def test_the_worst_finding_decides() -> None:
    bad = replace(_ONE, status=Status.failed, message="too old", about="Node a")
    assert first_line(_ONE, bad, replace(bad, about="Node b")) == f"[ ] {LINES[0]}: Node a: too old (and 1 more)"


def test_what_was_left_out_was_not_checked() -> None:
    assert first_line() == f"[-] {LINES[0]}: not checked: left out by --only or --skip"


def test_the_lines_are_those_of_the_prerequisites() -> None:
    text = (shared.need() / "prerequisites.md").read_text()
    assert tuple(line[len("- [ ] ") :] for line in text.splitlines() if line.startswith("- [ ] ")) == LINES


def test_an_installed_stack_is_not_asked_what_precedes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.kubernetes.reports.sample.ASKED", replace(ASKED, phase=Phase.after))
    for format in (Format.table, Format.markdown, Format.html):
        assert "pre-installation" not in rendered(format)


def test_quick_commands_are_answered_from_the_facts() -> None:
    by_command = {answer.command: answer for answer in quick(cluster(), ASKED)}
    assert by_command["oc version"].rows == [("OpenShift", "4.16.8"), ("Kubernetes", "v1.29.7")]
    csvs = by_command["oc get csv -A"].rows
    assert ("redhat-ods-operator", "rhods-operator.2.16.1", "Installing") in csvs
    assert len(csvs) == 2  # the copy in llm is no operator of its own
    gpus = by_command["kubectl get nodes -L nvidia.com/gpu.present,nvidia.com/gpu.product"]
    assert gpus.rows[0] == ("gpu-0", "true", "Tesla-T4", "1")
    assert (len(gpus.rows), gpus.more) == (8, 3)
    assert by_command["kubectl get smcp -A"].note == "none"
    assert by_command["kubectl get smmr -A"].note.startswith("not read: listing servicemeshmemberrolls was denied")
    assert by_command["kubectl get gatewayclasses"].note == "none: the cluster does not serve this API"


def test_objects_without_sense_are_shown_without_it() -> None:
    odd = facts(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": None}, "status": {"capacity": []}},
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": None, "provisioner": 3},
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "status": {"conditions": "x"}},
        serves=[kinds.SMCP],
    )
    told = {answer.command: answer.rows for answer in quick(odd, asked())}
    assert told["kubectl get storageclass"] == [("", "", "Immediate", "no")]
    assert told["kubectl get gatewayclasses"] == [("", "", "Unknown")]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS, inner, max_size=4),
    max_leaves=12,
)
_KINDS = [kinds.NODE, kinds.STORAGE_CLASS, kinds.CSV, kinds.GATEWAY_CLASS, kinds.SMCP, kinds.CLUSTER_VERSION]


@settings(deadline=None)
@given(kind=st.sampled_from(_KINDS), object=st.dictionaries(_FIELDS, _JSON, max_size=5))
def test_absurd_objects_break_no_first_screen(kind: Kind, object: dict[str, object]) -> None:
    whole = {**object, "apiVersion": f"{kind.group}/{kind.versions[0]}".lstrip("/"), "kind": kind.name}
    for target in (Target.openshift, Target.kubernetes):
        assert quick(facts(whole), asked(target))


def test_room_is_told_by_the_check_of_room() -> None:
    ready, room = (replace(_ONE, code=code, message=code, about="") for code in ("MAAS-121", "MAAS-123"))
    short, unready = replace(room, status=Status.failed), replace(ready, status=Status.failed)
    assert _room(ready, room) == "MAAS-123"
    assert _room(unready, short) == "MAAS-123 (and 1 more)"
    assert _room(unready, room) == "MAAS-121"


def _room(*some: Finding) -> str:
    lines = checklist({each.code: [each] for each in some})
    return next(line.reason for line in lines if line.text.startswith("Sufficient node"))


@pytest.mark.parametrize(("amount", "said"), [(1, "(1 node)"), (2, "(2 nodes)")])
def test_nodes_without_gpus_are_counted(amount: int, said: str) -> None:
    nodes = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{each}"}} for each in range(amount)]
    told = {answer.about: answer.rows for answer in quick(facts(*nodes), asked())}
    assert told["GPUs"] == [(said, "-", "-", "0")]
