"""The test cluster itself: real, with RBAC, and gone afterwards."""

import ssl
from pathlib import Path

import httpx
import pytest
import yaml

from tests.kubernetes.cluster import Cluster, running


def _client(kubeconfig: Path) -> httpx.Client:
    config = yaml.safe_load(kubeconfig.read_text())
    user, server = config["users"][0]["user"], config["clusters"][0]["cluster"]
    context = ssl.create_default_context(cafile=server["certificate-authority"])
    context.load_cert_chain(user["client-certificate"], user["client-key"])
    return httpx.Client(base_url=server["server"], verify=context)


def test_is_a_kubernetes_1_34(cluster: Cluster) -> None:
    with cluster.client() as client:
        assert client.get("/version").json()["gitVersion"] == "v1.34.4"


def test_an_administrator_may_everything_and_others_only_what_they_are_given(cluster: Cluster) -> None:
    with _client(cluster.kubeconfig()) as admin, _client(cluster.kubeconfig("eve")) as eve:
        assert admin.get("/api/v1/nodes").status_code == 200
        assert eve.get("/api/v1/nodes").status_code == 403
        cluster.allow("eve", {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]})
        assert eve.get("/api/v1/nodes").status_code == 200
        assert eve.get("/api/v1/pods").status_code == 403


def test_each_is_on_its_own_and_gone_afterwards(cluster: Cluster) -> None:
    with running() as other:
        with other.client() as client:
            client.post("/api/v1/namespaces", json={"metadata": {"name": "mine"}}).raise_for_status()
        with cluster.client() as client:
            assert client.get("/api/v1/namespaces/mine").status_code == 404
    assert not other.folder.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(other.url)
