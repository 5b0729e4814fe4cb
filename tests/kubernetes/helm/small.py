"""A chart of a ConfigMap, for tests of helm itself: quick, and in a namespace of the test's own."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maas.cluster.plan.model import Chart
from tests.kubernetes.charts.making import StandIn, pack
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.seeding import seed

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: told, namespace: {{ .Release.Namespace }}}
data: {said: {{ .Values.said | quote }}}
"""
# Helm waits for its hooks: no controller ends this Job, so an installation stays under way until it is killed.
HANGING = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: never-done
  namespace: {{ .Release.Namespace }}
  annotations: {helm.sh/hook: "post-install,post-upgrade"}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: never, image: example.com/never:1}]}}}
"""


def chart(folder: Path, namespace: str, version: str = "1.0.0", said: str = "hello", **more: str) -> Chart:
    """Packed into the mirror in the folder. more: further templates, by name."""
    (folder / "charts").mkdir(exist_ok=True)
    templates: Mapping[str, str] = {"config.yaml": CONFIG} | {f"{name}.yaml": text for name, text in more.items()}
    schema: Mapping[str, Any] = {"type": "object", "properties": {"said": {"type": "string"}}}
    pack(StandIn("small", templates, {"said": ""}, schema), version, folder / "charts")
    return Chart("it", namespace, "small", version, values={"said": said})


def own_namespace(cluster: Cluster) -> str:
    name = f"helm-{uuid.uuid4().hex[:8]}"
    seed(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}])
    return name
