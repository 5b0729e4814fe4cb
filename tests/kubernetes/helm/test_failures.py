"""What is said when helm fails: the release, its chart, helm's own words from the error on, and what to do."""

import asyncio
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from maas.cluster.connection import connect
from maas.cluster.helm import Helm
from maas.cluster.helm_failures import HelmFailed, explained
from maas.cluster.plan.model import Chart
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.helm.small import chart, own_namespace
from tests.kubernetes.seeding import seed


def failure(cluster: Cluster, wanted: Chart, mirror: Path | None, user: str = "admin") -> str:
    async def main() -> str:
        kubeconfig = cluster.kubeconfig(user)
        async with connect(kubeconfig=kubeconfig) as api:
            with pytest.raises(HelmFailed) as failed:
                await Helm(api, kubeconfig, mirror=mirror).upgrade_install(wanted)
            return str(failed.value)

    return asyncio.run(main())


def test_what_others_made_is_named(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    namespace = own_namespace(cluster)
    seed(cluster, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "told", "namespace": namespace}}])
    said = failure(cluster, chart(tmp_path, namespace), tmp_path)
    assert f"Helm release {namespace}/it (chart small 1.0.0): helm upgrade failed:" in said
    assert f'ConfigMap "told" in namespace "{namespace}" exists and cannot be imported' in said
    assert "It is there already and belongs to no Helm release" in said
    assert "Error:" not in said


def test_a_right_that_is_missing_is_named(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    namespace, user = own_namespace(cluster), f"eve-{uuid.uuid4().hex[:6]}"
    cluster.allow(user, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]})
    said = failure(cluster, chart(tmp_path, namespace), tmp_path, user)
    assert 'User "' + user + '" cannot get resource "configmaps"' in said
    assert "`maas rbac --render` prints all that an installation needs" in said


def test_a_used_up_quota_is_named(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    namespace = own_namespace(cluster)
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "little", "namespace": namespace}}
    limit = {"hard": {"count/configmaps": "0"}}
    seed(cluster, [{**quota, "spec": limit, "status": {**limit, "used": {"count/configmaps": "0"}}}])
    said = failure(cluster, chart(tmp_path, namespace), tmp_path)
    assert "exceeded quota: little" in said
    assert said.endswith("A ResourceQuota of the namespace is used up: raise it.")


def test_without_a_network_the_mirror_is_named(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    namespace = own_namespace(cluster)
    wanted = replace(chart(tmp_path, namespace), repo="http://127.0.0.1:9/charts")
    said = failure(cluster, wanted, None)
    assert "connection refused" in said
    assert "`maas mirror DIR` where there is one, and give the folder to `maas install --mirror DIR`" in said


def test_a_value_that_the_chart_does_not_know_is_named(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    wanted = replace(chart(tmp_path, own_namespace(cluster)), values={"said": 1})
    assert "said" in failure(cluster, wanted, tmp_path)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", "wait for it"),
        ('Error: unable to build kubernetes objects: no matches for kind "Certificate"', "Run the same command again"),
        ('Error: admission webhook "deny.example.com" denied the request: no', "An admission webhook refuses it"),
        (
            'Error: chart "istiod" version "9.9.9" not found in https://example.com repository',
            "maas version --components",
        ),
        ("Error: something that nobody knows", ""),
    ],
)
def test_each_known_cause_has_its_advice(words: str, advice: str) -> None:
    said = str(explained("upgrade", "it", "there", None, f"WARNING: something\n{words}\n"))
    assert said.startswith("Helm release there/it: helm upgrade failed:\n")
    assert advice in said
    assert "WARNING" not in said
    assert "FAILED" not in said


def test_where_there_is_no_release_yet_the_chart_is_named() -> None:
    chart = Chart("it", "there", "small", "1.0.0", "https://example.com/charts")
    said = str(explained("pull", "it", "there", chart, "Error: no"))
    assert said == "chart small 1.0.0 (of https://example.com/charts): helm pull failed:\nno"


def test_a_long_story_is_cut_to_a_screen() -> None:
    said = str(explained("upgrade", "it", "there", None, "Error: first\n" + "more\n" * 500))
    assert said.count("more") < 20


def test_silence_is_said_to_be_silence() -> None:
    assert "it gave no reason" in str(explained("upgrade", "it", "there", None, ""))
