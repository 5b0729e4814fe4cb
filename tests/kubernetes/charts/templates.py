"""Templates of the stand-in charts: what the real ones leave in a cluster, under the names that they give it.

Nothing answers at the webhooks: KWOK's pods hold no programs. So their configurations have the names and rules of the
real ones, and a match condition that is never met.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def workload(name: str, image: str, labels: Mapping[str, str], *, more: str = "", container: str = "main") -> str:
    """A Deployment of one pod, and its ServiceAccount. more: YAML of the container."""
    chosen = json.dumps(dict(labels))
    return f"""\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {name}, namespace: {{{{ .Release.Namespace }}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {{{{ .Release.Namespace }}}}, labels: {chosen}}}
spec:
  replicas: {{{{ .Values.replicaCount | default 1 }}}}
  selector: {{matchLabels: {chosen}}}
  template:
    metadata: {{labels: {chosen}}}
    spec:
      serviceAccountName: {name}
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: {container}
          image: {image}:{{{{ .Chart.AppVersion }}}}
          securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
{more}"""


def webhook(
    name: str, service: str, group: str, version: str, resources: Sequence[str], *, changes: bool = False
) -> str:
    """changes: a mutating one."""
    kind = "MutatingWebhookConfiguration" if changes else "ValidatingWebhookConfiguration"
    client = f"{{service: {{name: {service}, namespace: {{{{ .Release.Namespace }}}}, path: /validate, port: 443}}}}"
    rule: dict[str, Any] = {
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": ["CREATE", "UPDATE"],
        "resources": list(resources),
    }
    return f"""\
apiVersion: admissionregistration.k8s.io/v1
kind: {kind}
metadata: {{name: {name}}}
webhooks:
  - name: validation.{group}
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Fail
    clientConfig: {client}
    matchConditions: [{{name: nothing-answers-here, expression: "false"}}]
    rules: [{json.dumps(rule)}]
"""


def service(name: str, port: int, target: int, labels: Mapping[str, str]) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {{{{ .Release.Namespace }}}}}}
spec:
  selector: {json.dumps(dict(labels))}
  ports: [{{name: https, port: {port}, targetPort: {target}}}]
"""


def together(*documents: str) -> str:
    return "---\n".join(documents)
