"""maas snapshot: what it writes, what it says, and what it says when it cannot."""

import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from maas.cluster.facts import snapshot
from maas.cluster.kinds import NODE, POD, SECRET
from maas.cluster.objects import name, text
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import namespace
from tests.kubernetes.front import Fault, front
from tests.kubernetes.seeding import seed
from tests.kubernetes.snapshots import trees

Maas = Callable[..., subprocess.CompletedProcess[str]]


def test_an_export_is_condensed_and_judged_elsewhere(run: Maas, tmp_path: Path) -> None:
    trees.in_archive(tmp_path / "must-gather.tar.gz", trees.must_gather(trees.POD, trees.NODE))
    made = run("snapshot", "--from", "must-gather.tar.gz", "-o", "small.tar.gz")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(
        r"small\.tar\.gz \(\d+ kB\): 2 objects and 0 logs of snapshot must-gather\.tar\.gz\n", made.stdout
    )
    assert "maas preflight --from small.tar.gz" in made.stderr
    assert (
        "not read: secrets: the snapshot holds no secrets"
        in run("snapshot", "--from", "small.tar.gz", "-o", "x").stderr
    )
    assert stat.S_IMODE((tmp_path / "small.tar.gz").stat().st_mode) == 0o600
    assert run("preflight", "--from", "small.tar.gz").returncode == 3


def test_a_file_that_is_there_stays_unless_told_otherwise(run: Maas, tmp_path: Path) -> None:
    (tmp_path / "nodes.yaml").write_bytes(trees.as_yaml(trees.NODE))
    (tmp_path / "there.tar.gz").write_text("precious")
    refused = run("snapshot", "--from", "nodes.yaml", "-o", "there.tar.gz")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert refused.stderr == "error: there.tar.gz exists already; give another name, or --force to replace it\n"
    assert (tmp_path / "there.tar.gz").read_text() == "precious"
    assert run("snapshot", "--from", "nodes.yaml", "-o", "there.tar.gz", "--force").returncode == 0
    assert len(snapshot.read(tmp_path / "there.tar.gz").all(NODE)) == 1


def test_what_is_no_snapshot_is_said_in_a_sentence(run: Maas, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, said in {"nothing.tar.gz": "there is no such file or folder", "empty": "is empty"}.items():
        refused = run("snapshot", "--from", source, "-o", "x.tar.gz")
        assert refused.returncode == 2
        assert refused.stderr.startswith("error: ")
        assert said in refused.stderr
        assert not (tmp_path / "x.tar.gz").exists()
    assert (
        run("snapshot", "--from", "empty", "-o", "no/such/folder.tgz").stderr.count("there is no folder no/such") == 1
    )


def test_a_live_cluster_is_saved_as_far_as_it_may_be_read(run: Maas, cluster: Cluster, tmp_path: Path) -> None:
    """By somebody who may read pods and Secrets of API keys, and nothing else."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "ann",
            "namespace": "snapped",
            "labels": {"authorino.kuadrant.io/managed-by": "authorino"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "C4naryInAnAnnotation"},
        },
        "stringData": {"api_key": "C4naryOfASecretKey"},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "vllm-0", "namespace": "snapped"},
        "spec": {"containers": [{"name": "server", "image": "vllm", "args": ["--api-key=C4naryOfAnArgument"]}]},
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "snapped"}}
    seed(cluster, [namespace("snapped"), secret, account])
    seed(cluster, [pod])
    cluster.allow("ann", {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["list"]})
    made = run("snapshot", "--kubeconfig", cluster.kubeconfig("ann"), "-o", "live", "--timeout", "30s")
    assert made.returncode == 0, made.stderr
    assert "not read: nodes: " in made.stderr
    assert "forbidden" in made.stderr
    facts = snapshot.read(tmp_path / "live")
    assert "vllm-0" in [name(each) for each in facts.all(POD)]
    assert text(facts.all(SECRET)[0], "data", "api_key").startswith("sha256:")
    assert "denied" in str(facts.lists[NODE.key])
    written = b"".join(path.read_bytes() for path in (tmp_path / "live").rglob("*") if path.is_file())
    assert b"C4nary" not in written
    assert b"[redacted]" in written


def test_of_a_cluster_that_answers_nothing_no_snapshot_is_made(run: Maas, cluster: Cluster, tmp_path: Path) -> None:
    with front(cluster, faults=(Fault("/", status=500),)) as before:
        made = run("snapshot", "--kubeconfig", cluster.kubeconfig(url=before.url), "-o", "live", "--timeout", "5s")
    assert made.returncode == 7
    assert "out of reach" in made.stderr
    assert not (tmp_path / "live").exists()


def test_nor_of_one_that_refuses_everything(run: Maas, cluster: Cluster, tmp_path: Path) -> None:
    made = run("snapshot", "--kubeconfig", cluster.kubeconfig("nobody-at-all"), "-o", "live", "--timeout", "20s")
    assert made.returncode == 7
    assert "nothing is saved" in made.stderr
    assert not (tmp_path / "live").exists()
