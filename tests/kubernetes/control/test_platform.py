"""Tiers, models and state of a platform on a cluster, with the words of the embedded one."""

import json
from pathlib import Path

import pytest

from maas.cli import chosen
from maas.cli.frame import home
from maas.cli.installing import remembered
from maas.cli.installing.remembered import Remembered
from maas.cluster.resources import policies
from maas.embedded.supervisor import client
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.control.conftest import DOCUMENT, KEYS, MODELS, Run, commands, create
from tests.kubernetes.policies.platforms import wanted

MANAGE_KEYS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "create", "patch", "delete"]}


def test_tiers(platform: Cluster, maas: Run) -> None:
    rows = json.loads(maas("tiers", "list", "-o", "json").out)
    assert [(row["name"], len(row["limits"])) for row in rows] == [("free", 2), ("premium", 1)]
    assert "5 requests per 2m" in maas("tiers", "show", "free").out
    missing = maas("tiers", "show", "gold")
    assert (missing.code, missing.err) == (4, "error: there is no tier 'gold'; there are free, premium\n")


def test_a_model_is_as_its_inference_service(platform: Cluster, maas: Run) -> None:
    assert _model(maas) == ("starting", "it is not there yet")
    path = f"/apis/serving.kserve.io/v1beta1/namespaces/{MODELS}/inferenceservices"
    spec = {"predictor": {"containers": [{"name": "kserve-container", "image": "x"}]}}
    create(
        platform,
        path,
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "simulator"},
            "spec": spec,
        },
    )
    try:
        assert _model(maas) == ("starting", "its controller has not looked at it yet")
        with platform.client() as client:
            status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
            merge = {"Content-Type": "application/merge-patch+json"}
            client.patch(f"{path}/simulator/status", content=json.dumps(status), headers=merge).raise_for_status()
        assert _model(maas) == ("ready", None)
    finally:
        with platform.client() as client:
            client.delete(f"{path}/simulator").raise_for_status()


def _model(maas: Run) -> tuple[str, str | None]:
    (model,) = json.loads(maas("models", "list", "-o", "json").out)
    return model["status"], model["trouble"]


def test_status_says_what_is_missing(platform: Cluster, maas: Run) -> None:
    said = maas("status", "-o", "json")
    assert said.code == 7
    document = json.loads(said.out)
    assert (document["running"], document["ready"]) == (True, False)
    assert document["cluster"] == {"context": None, "namespace": MODELS, "target": "kubernetes"}
    assert set(document["parts"]) == {
        *("gateway", "keys", "limits of requests", "limits of tokens", "authorino", "limitador"),
    }
    assert set(document["parts"].values()) == {"it is not there yet"}
    shown = maas("status")
    assert shown.code == 7
    assert "gateway              failing" in shown.out
    assert "`maas doctor` says more, and mends what it can." in shown.out


def test_where_nothing_is_installed(shared: Cluster, maas: Run) -> None:
    for command in (("tiers", "list"), ("models", "list"), ("status",), ("keys", "create")):
        said = maas(*command)
        assert said.code == 6, said
        assert said.err.startswith(f"error: no platform is installed in the namespace {MODELS} of ")
        assert said.err.endswith("; `maas install` sets one up\n")
    assert maas("keys", "list").code == 0, "keys are there without it"


def test_keys_are_there_whatever_somebody_did_to_the_description(platform: Cluster, maas: Run) -> None:
    maas("keys", "create", "--user", "alice")
    path = f"/api/v1/namespaces/{MODELS}/configmaps/maas-platform"
    merge = {"Content-Type": "application/merge-patch+json"}
    with platform.client() as client:
        client.patch(path, content='{"data": {"maas.yaml": "tiers: 7"}}', headers=merge).raise_for_status()
    assert maas("keys", "revoke", "--user", "alice", "--yes").out == "1 key revoked\n"
    said = maas("tiers", "list")
    assert (said.code, "tiers" in said.err) == (2, True)


def test_dry_run_of_apply(platform: Cluster, maas: Run, tmp_path: Path) -> None:
    file = tmp_path / "maas.yaml"
    file.write_text(DOCUMENT.replace("requests: 20", "requests: 30"))
    said = maas("apply", "-f", str(file), "--dry-run", "--diff")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "1 change would be applied."
    assert "tiers.premium" in said.out
    assert "20 requests" in maas("tiers", "show", "premium").out, "nothing has changed"


def test_what_a_cluster_cannot_keep_is_refused_before_anything_is_done(
    platform: Cluster, maas: Run, tmp_path: Path
) -> None:
    file = tmp_path / "maas.yaml"
    file.write_text(DOCUMENT.replace("{requests: 20, per: 2m}", "{money: 10, per: 30d}"))
    said = maas("apply", "-f", str(file))
    assert said.code == 2
    assert said.err.startswith("error: tiers.premium.limits[0]: 10 money per 30d cannot be kept on a cluster")


def test_usage_says_what_it_cannot(platform: Cluster, maas: Run) -> None:
    said = maas("usage", "--by", "user")
    assert said.code == 2
    assert "write --by model" in said.err
    assert "simulator" in maas("usage").out
    assert maas("usage", "--records").code == 2
    by_model = json.loads(maas("usage", "--by", "model", "-o", "json").out)
    assert [(row["name"], row["requests"]) for row in by_model["data"]] == [("simulator", 0)]


def test_a_quota_without_limitador(platform: Cluster, maas: Run) -> None:
    said = maas("tiers", "show", "free", "--user", "alice")
    assert said.code == 7
    assert "Limitador, which counts, does not answer" in said.err


def test_who_may_only_manage_keys(
    platform: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With the role that docs/how-to/keys.md has; and whoever may not read keys is told so."""
    _allow(platform, "keeper", KEYS, MANAGE_KEYS)
    _allow(platform, "keeper", MODELS, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]})
    with commands(platform.kubeconfig("keeper"), monkeypatch, capsys, tmp_path) as keeper:
        assert keeper("keys", "create", "--user", "alice").code == 0
        (made,) = json.loads(keeper("keys", "list", "-o", "json").out)
        assert keeper("keys", "rotate", made["id"], "--grace", "1h").code == 0
        assert keeper("keys", "revoke", made["id"]).code == 0
    with commands(platform.kubeconfig("nobody"), monkeypatch, capsys, tmp_path) as nobody:
        said = nobody("keys", "list")
    assert said.code == 7
    assert "was denied" in said.err


def _allow(cluster: Cluster, user: str, namespace: str, rule: dict[str, list[str]]) -> None:
    base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    name = f"test-{user}"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
    create(cluster, f"{base}/roles", {"metadata": {"name": name}, "rules": [rule]})
    create(cluster, f"{base}/rolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})


def test_which_platform_is_meant(platform: Cluster, maas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = chosen.cluster()
    assert known is not None
    monkeypatch.setenv("MAAS_TARGET", "local")
    assert chosen.cluster() is None
    for said in ("cluster", "kubernetes", "Openshift", "auto", ""):
        monkeypatch.setenv("MAAS_TARGET", said)
        assert chosen.cluster() == known
    remembered.forget(home())
    assert chosen.cluster() is None
    monkeypatch.setenv("MAAS_TARGET", "openshift")
    assert chosen.cluster() == Remembered("", None, "llm", "openshift"), "what kubectl would take"
    monkeypatch.setenv("MAAS_TARGET", "moon")
    refused = maas("tiers", "list")
    assert refused.code == 2
    assert refused.err.startswith("error: MAAS_TARGET=moon is no target; write local, ")


def test_what_runs_here_comes_first(platform: Cluster, maas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "running", lambda home: object())
    assert chosen.cluster() is None


TIERS = """
tiers:
  free: {limits: [{requests: 5, per: 2m}, {tokens: 200, per: 366d}, {requests: 1000000000000000, per: 31d}]}
  narrow: {limits: [{requests: 0, per: 1s}], models: [other]}
  tier.with_all-signs: {}
"""


@pytest.mark.parametrize("tokens_only", [False, True])
def test_policies_are_taken_by_a_real_api_server(shared: Cluster, tokens_only: bool) -> None:
    """With Kuadrant's CRDs: no unknown field, no broken rule of theirs."""
    tiers = TIERS if not tokens_only else TIERS.replace("{requests: 0, per: 1s}", "{tokens: 0, per: 1s}")
    for each in policies.objects(wanted(tiers, tokens_only=tokens_only)):
        group, _, version = each["apiVersion"].partition("/")
        plural = each["kind"].lower().removesuffix("y") + "ies"
        path = f"/apis/{group}/{version}/namespaces/{MODELS}/{plural}"
        with shared.client() as client:
            answer = client.post(path, json=each, params={"fieldValidation": "Strict", "dryRun": "All"})
        assert answer.status_code == 201, answer.text
