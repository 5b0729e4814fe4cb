"""The rights that are asked about are those that RBAC gives: shown on a real API server."""

import asyncio
from typing import Any

from maas.cluster.access import RULES, Rule
from maas.cluster.connection import connect
from maas.cluster.facts.live import read
from maas.cluster.facts.model import Facts
from maas.readiness.findings import Finding, Status
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.offline import asked, found


def as_rbac(rule: Rule) -> dict[str, Any]:
    return {"apiGroups": [rule.group], "resources": list(rule.resources), "verbs": list(rule.verbs)}


def seen_by(cluster: Cluster, user: str) -> Facts:
    async def reading() -> Facts:
        async with connect(None, cluster.kubeconfig(user)) as api:
            return await read(api, deadline=30, watch=None, logs=False, tools=False)

    return asyncio.run(reading())


def said(facts: Facts, code: str) -> tuple[Finding, ...]:
    return found(code, facts, asked())


def test_rights_of_admin_installer_and_nobody(fresh_cluster: Cluster) -> None:
    rules = [as_rbac(rule) for rule in RULES if rule.only in ("", "kubernetes")]
    fresh_cluster.allow("installer", *rules)
    fresh_cluster.allow("almost", *(rule for rule in rules if "escalate" not in rule["verbs"]))

    (admin,) = said(seen_by(fresh_cluster, "admin"), "MAAS-111")
    assert (admin.status, admin.message) == (Status.passed, "everything is allowed: cluster-admin")

    (installer,) = said(seen_by(fresh_cluster, "installer"), "MAAS-111")
    assert installer.status is Status.passed
    assert "rights that the installation uses are there" in installer.message

    (almost,) = said(seen_by(fresh_cluster, "almost"), "MAAS-111")
    assert almost.status is Status.failed
    rbac = "rbac.authorization.k8s.io"
    assert almost.message.endswith(f"are missing: bind, escalate clusterroles.{rbac}, bind, escalate roles.{rbac}")

    nobody = seen_by(fresh_cluster, "nobody")
    (rights,) = said(nobody, "MAAS-111")
    assert rights.status is Status.failed
    reading = said(nobody, "MAAS-114")
    assert [each.about for each in reading] == ["denied"]
    for code in ("MAAS-121", "MAAS-123", "MAAS-141", "MAAS-143", "MAAS-154", "MAAS-155"):
        (unread,) = said(nobody, code)
        assert unread.status is Status.unknown, code
