"""Releases on a real API server: what their records say, and what becomes of one that was cut short."""

import asyncio
import os
import signal
import stat
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from maas.cluster import helm as helm_module
from maas.cluster.connection import connect
from maas.cluster.helm import Helm, is_current
from maas.cluster.helm_failures import HelmFailed, HelmMissing
from maas.cluster.kinds import RELEASE
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.helm.small import HANGING, chart, own_namespace

T = TypeVar("T")
SECRET = "not-for-everybody"


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    return own_namespace(cluster)


def carried_out(cluster: Cluster, mirror: Path, work: Callable[[Helm], Awaitable[T]], user: str = "admin") -> T:
    async def main() -> T:
        kubeconfig = cluster.kubeconfig(user)
        async with connect(kubeconfig=kubeconfig) as api:
            return await work(Helm(api, kubeconfig, mirror=mirror))

    return asyncio.run(main())


def told(cluster: Cluster, namespace: str) -> Any:
    with cluster.client() as client:
        answer = client.get(f"/api/v1/namespaces/{namespace}/configmaps/told")
        return answer.json()["data"]["said"] if answer.is_success else None


def records(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    with cluster.client() as client:
        found = client.get(f"/api/v1/namespaces/{namespace}/secrets", params={"labelSelector": RELEASE.labels})
        return list(found.json()["items"])


def test_what_was_asked_for_stands_in_the_labels_of_its_record(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """So a plan sees from metadata alone that nothing is to be done, or what has changed."""
    wanted = chart(tmp_path, namespace)
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(wanted))
    assert told(cluster, namespace) == "hello"
    found = records(cluster, namespace)
    assert found[0]["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "maas"
    assert is_current(wanted, found)
    assert not is_current(replace(wanted, values={"said": "goodbye"}), found)
    assert not is_current(replace(wanted, version="1.0.1"), found)
    changed = replace(wanted, values={"said": "goodbye"})
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(changed))
    assert told(cluster, namespace) == "goodbye"
    assert is_current(changed, records(cluster, namespace))
    assert not is_current(wanted, records(cluster, namespace))


def test_a_release_of_others_is_left_alone(helm: Path, cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """It is there: that it is not as we would have it is their business."""
    wanted = chart(tmp_path, namespace)
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(wanted))
    found = records(cluster, namespace)
    for record in found:
        del record["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    assert is_current(replace(wanted, version="9.9.9"), found)


def test_uninstalling_leaves_nothing_and_does_not_mind_that_nothing_is_there(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    wanted = chart(tmp_path, namespace)
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(wanted))
    held = carried_out(cluster, tmp_path, lambda it: it.manifest("it", namespace))
    assert [each["kind"] for each in held] == ["ConfigMap"]
    for _ in range(2):
        carried_out(cluster, tmp_path, lambda it: it.uninstall("it", namespace))
        assert told(cluster, namespace) is None
        assert records(cluster, namespace) == []
    assert carried_out(cluster, tmp_path, lambda it: it.manifest("it", namespace)) == []


@pytest.mark.parametrize("before", [False, True], ids=["installation", "upgrade"])
def test_what_a_killed_helm_left_is_taken_up_again(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """kill -9 leaves a record that keeps every later helm from this release: "another operation is in progress"."""
    if before:
        carried_out(cluster, tmp_path, lambda it: it.upgrade_install(chart(tmp_path, namespace, said="at first")))
    hanging = chart(tmp_path, namespace, "1.0.1", "half-way", job=HANGING)
    asyncio.run(killed_once_it_has_begun(cluster, namespace, hanging, tmp_path))
    left = helm_module.newest(records(cluster, namespace))
    assert [each.status for each in left] == ["pending-upgrade" if before else "pending-install"]

    again = chart(tmp_path, namespace, "1.0.2", "in the end")
    monkeypatch.setattr(helm_module, "_SETTLING", 0.0)
    notes: list[str] = []
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(again, noted=notes.append))
    assert told(cluster, namespace) == "in the end"
    assert is_current(again, records(cluster, namespace))
    assert len(notes) == 1 and "cut short: it is taken up again" in notes[0]


async def killed_once_it_has_begun(cluster: Cluster, namespace: str, wanted: Any, mirror: Path) -> None:
    """By kill -9, of helm itself, when all but its hook is done."""
    kubeconfig = cluster.kubeconfig()
    async with connect(kubeconfig=kubeconfig) as api:
        doing = asyncio.create_task(Helm(api, kubeconfig, mirror=mirror).upgrade_install(wanted))
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        while not (await api.get(path))["items"]:
            assert not doing.done(), doing.exception()
            await asyncio.sleep(0.05)
        for process in helms(namespace):
            os.kill(process, signal.SIGKILL)
        with pytest.raises(HelmFailed):
            await doing


def helms(namespace: str) -> list[int]:
    """Processes that have this namespace in their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if namespace.encode() in arguments and b"upgrade" in arguments:
            found.append(int(folder.name))
    return found


def test_what_began_just_now_is_let_finish(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the helm of a run that was killed: it goes on without us, and ends well."""
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(chart(tmp_path, namespace)))
    name, path = records(cluster, namespace)[0]["metadata"]["name"], f"/api/v1/namespaces/{namespace}/secrets"
    patch = {"content-type": "application/merge-patch+json"}

    def marked(status: str) -> None:
        with cluster.client() as client:
            body = {"metadata": {"labels": {"status": status}}}
            client.patch(f"{path}/{name}", json=body, headers=patch).raise_for_status()

    async def ends_soon(it: Helm) -> float:
        began = time.monotonic()
        noted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        recovering = asyncio.create_task(it._recover("it", namespace, noted.set_result))
        assert "an earlier run may still be at it" in await noted
        await asyncio.to_thread(marked, "deployed")
        await recovering
        return time.monotonic() - began

    marked("pending-install")
    assert carried_out(cluster, tmp_path, ends_soon) < 5
    assert [each["metadata"]["name"] for each in records(cluster, namespace)] == [name]


def test_anothers_change_under_way_is_not_touched(helm: Path, cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    wanted = chart(tmp_path, namespace)
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(wanted))
    record = records(cluster, namespace)[0]["metadata"]["name"]
    with cluster.client() as client:
        labels = {"status": "pending-upgrade", "app.kubernetes.io/managed-by": None}
        client.patch(
            f"/api/v1/namespaces/{namespace}/secrets/{record}",
            json={"metadata": {"labels": labels}},
            headers={"content-type": "application/merge-patch+json"},
        ).raise_for_status()
    with pytest.raises(HelmFailed, match="somebody is changing it right now") as failed:
        carried_out(cluster, tmp_path, lambda it: it.upgrade_install(wanted))
    assert f"helm rollback it -n {namespace}" in str(failed.value)
    assert [each["metadata"]["name"] for each in records(cluster, namespace)] == [record]


def test_cancelling_ends_helm_too(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(it: Helm) -> None:
        doing = asyncio.create_task(it.upgrade_install(chart(tmp_path, namespace, job=HANGING)))
        while not records(cluster, namespace):  # noqa: ASYNC110  # it is the cluster that says when
            await asyncio.sleep(0.05)
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing

    carried_out(cluster, tmp_path, cancelled)
    assert helms(namespace) == []
    monkeypatch.setattr(helm_module, "_SETTLING", 0.0)
    again = chart(tmp_path, namespace, "1.0.1", "in the end")
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(again))
    assert told(cluster, namespace) == "in the end"


def test_a_first_installation_that_failed_is_done_again(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """What stood in its way is gone: nobody has to uninstall anything first."""
    forbidden = HANGING.replace("restartPolicy: Never", "restartPolicy: Sometimes").replace("annotations", "labels")
    with pytest.raises(HelmFailed, match="Sometimes"):
        broken = chart(tmp_path, namespace, job=forbidden.replace("{helm.sh/hook: ", "{x: ").replace(",post", "-"))
        carried_out(cluster, tmp_path, lambda it: it.upgrade_install(broken))
    assert [each.status for each in helm_module.newest(records(cluster, namespace))] == ["failed"]
    wanted = chart(tmp_path, namespace, "1.0.1", "at last")
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(wanted))
    assert told(cluster, namespace) == "at last"
    assert is_current(wanted, records(cluster, namespace))


def test_values_and_credentials_are_in_nobodys_sight(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments of programs are for all to read."""
    seen = tmp_path / "arguments"
    watched = script(tmp_path, f'printf "%s\\n" "$@" >>{seen}\nexec {helm} "$@"')
    monkeypatch.setenv("MAAS_HELM", str(watched))
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(chart(tmp_path, namespace, said=SECRET)))
    assert told(cluster, namespace) == SECRET
    assert "--install" in seen.read_text()
    assert SECRET not in seen.read_text()
    assert cluster.token not in seen.read_text()


def test_helms_own_variables_lead_it_to_no_other_cluster(
    helm: Path, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_KUBECONTEXT", "somewhere-else")
    monkeypatch.setenv("HELM_KUBEAPISERVER", "https://127.0.0.1:1")
    monkeypatch.setenv("HELM_DRIVER", "memory")
    carried_out(cluster, tmp_path, lambda it: it.upgrade_install(chart(tmp_path, namespace)))
    assert told(cluster, namespace) == "hello"


def script(folder: Path, body: str) -> Path:
    path = folder / "helm"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo v3.13.3", "is helm 3.13.3: too old"),
        ("echo nonsense", "is helm nonsense: too old"),
        (None, "cannot be run"),
    ],
)
def test_a_helm_that_will_not_do_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None, said: str
) -> None:
    place = script(tmp_path, body) if body else tmp_path / "nothing"
    monkeypatch.setenv("MAAS_HELM", str(place))
    with pytest.raises(HelmMissing, match=said) as failed:
        asyncio.run(Helm().rendered(chart(tmp_path, "nowhere")))
    assert "install helm 3.14 or newer" in str(failed.value)


def test_without_helm_it_is_said_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAAS_HELM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HelmMissing, match="helm is not in the PATH"):
        asyncio.run(Helm().rendered(chart(tmp_path, "nowhere")))
