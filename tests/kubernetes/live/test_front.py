"""The front before the API server: passes on who asks and what, and does the harm that a test wants."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import Fault, Front, front


@pytest.fixture
def before(cluster: Cluster) -> Iterator[Front]:
    with front(cluster) as started:
        yield started


def _client(kubeconfig: Path) -> httpx.Client:
    config = yaml.safe_load(kubeconfig.read_text())
    user, server = config["users"][0]["user"], config["clusters"][0]["cluster"]
    context = ssl.create_default_context(cafile=server["certificate-authority"])
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    if "client-key" in user:
        context.load_cert_chain(user["client-certificate"], user["client-key"])
    return httpx.Client(base_url=server["server"], verify=context, headers=headers)


def test_knows_who_asks(cluster: Cluster, before: Front) -> None:
    def who(kubeconfig: Path) -> str:
        with _client(kubeconfig) as client:
            review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
            answer = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json=review)
            user = answer.raise_for_status().json()["status"]["userInfo"]
            return f"{user['username']} {','.join(user['groups'])}"

    assert who(cluster.kubeconfig("mallory", groups=["dev"], url=before.url)).startswith("mallory dev,")
    assert who(cluster.kubeconfig(url=before.url)).startswith("admin system:masters")
    assert who(cluster.kubeconfig(url=before.url, token=cluster.token)).startswith("admin system:masters")


def test_says_another_version_and_counts(cluster: Cluster, before: Front) -> None:
    before.version = "v1.27.3-gke.100"
    with _client(cluster.kubeconfig(url=before.url)) as client:
        answer = client.get("/version").json()
        client.get("/api/v1/nodes?limit=1")
    assert (answer["gitVersion"], answer["major"], answer["minor"]) == ("v1.27.3-gke.100", "1", "27")
    assert [call.target for call in before.calls] == ["/version", "/api/v1/nodes?limit=1"]


def test_does_harm(cluster: Cluster, before: Front) -> None:
    with _client(cluster.kubeconfig(url=before.url)) as client:
        before.faults = [Fault("/nodes", status=429, retry_after=1, times=1)]
        refused = client.get("/api/v1/nodes")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert client.get("/api/v1/nodes").status_code == 200
        before.faults = [Fault("/nodes", rubbish=True)]
        assert client.get("/api/v1/nodes").text.startswith("<html>")
        for fault in (Fault("/nodes", drop=True), Fault("/nodes", half=True)):
            before.faults = [fault]
            with pytest.raises(httpx.RemoteProtocolError):
                client.get("/api/v1/nodes")
