"""One small chart for each big one: the same values by the same names, refused if they are others, and the same objects
as far as MaaS has to do with them.

The names of values are those of facts/cluster.md §1.2 to §1.9, beside this repository, which read them in the charts at
their tags. What real charts hold beyond this (RBAC, ConfigMaps, metrics, hooks) is not here, and not tested.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from maas.cluster import mirror
from maas.cluster.components import gateway_api
from maas.cluster.helm import packed
from maas.cluster.plan.model import Chart, Manifest, Step
from tests.kubernetes.charts.making import Schema, StandIn, definitions, pack
from tests.kubernetes.charts.templates import service, together, webhook, workload

_BOOLEAN, _TEXT, _NUMBER = {"type": "boolean"}, {"type": "string"}, {"type": "integer"}
_RESOURCES = {"type": "object"}


def _of(**properties: Any) -> Schema:
    """Nothing but these."""
    return {"type": "object", "properties": {**properties, "global": {"type": "object"}}, "additionalProperties": False}


CERT_MANAGER = StandIn(
    "cert-manager",
    {
        f"{role}.yaml": workload(f"cert-manager{part}", f"quay.io/jetstack/cert-manager-{role}", {"app": role})
        for role, part in {"controller": "", "webhook": "-webhook", "cainjector": "-cainjector"}.items()
    }
    | {
        "admission.yaml": together(
            service("cert-manager-webhook", 443, 10250, {"app": "webhook"}),
            webhook(
                "cert-manager-webhook", "cert-manager-webhook", "cert-manager.io", "v1", ["issuers", "certificates"]
            ),
        ),
        "startupapicheck.yaml": """\
{{- if .Values.startupapicheck.enabled }}
apiVersion: batch/v1
kind: Job
metadata: {name: cert-manager-startupapicheck, annotations: {helm.sh/hook: post-install}}
spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: check, image: example.com/check:1}]}}}
{{- end }}
""",
    },
    values={"crds": {"enabled": False, "keep": True}, "startupapicheck": {"enabled": True}},
    schema=_of(
        crds=_of(enabled=_BOOLEAN, keep=_BOOLEAN),
        config=_of(enableGatewayAPI=_BOOLEAN),
        startupapicheck=_of(enabled=_BOOLEAN),
        webhook=_of(timeoutSeconds=_NUMBER),
        replicaCount=_NUMBER,
    ),
    crds=("cert-manager",),
    condition="$.Values.crds.enabled",
    keep="$.Values.crds.keep",
)
ISTIO_BASE = StandIn(
    "base",
    {"validator.yaml": webhook("istiod-default-validator", "istiod", "networking.istio.io", "*", ["*"])},
    values={"defaultRevision": "default"},
    schema=_of(defaultRevision=_TEXT),
    crds=("istio",),
)
_AUTOSCALING = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: istiod, namespace: {{ .Release.Namespace }}}
spec:
  minReplicas: 1
  maxReplicas: 5
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: istiod}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
"""
ISTIOD = StandIn(
    "istiod",
    {
        "istiod.yaml": workload(
            "istiod",
            "docker.io/istio/pilot",
            {"app": "istiod", "istio": "pilot"},
            more="          resources: {{ toJson .Values.pilot.resources }}\n",
        ),
        "service.yaml": service("istiod", 443, 15017, {"app": "istiod"}),
        "autoscaling.yaml": _AUTOSCALING,
    },
    values={"pilot": {"resources": {"requests": {"cpu": "500m", "memory": "2Gi"}}}},
    schema=_of(pilot=_of(resources=_RESOURCES, env={"type": "object"})),
)
KUADRANT = StandIn(
    "kuadrant-operator",
    {
        f"{name}.yaml": workload(
            name,
            f"quay.io/kuadrant/{image}",
            {"app": image, "control-plane": "controller-manager"},
            container="manager",
        )
        for name, image in {
            "kuadrant-operator-controller-manager": "kuadrant-operator",
            "authorino-operator": "authorino-operator",
            "limitador-operator-controller-manager": "limitador-operator",
            "dns-operator-controller-manager": "dns-operator",
        }.items()
    },
    schema=_of(),
    crds=("kuadrant-operator", "authorino", "authorino-operator", "limitador-operator", "dns-operator"),
)
KSERVE_CRD = StandIn("kserve-crd", {}, schema=_of(), crds=("kserve",))
_KSERVE = {"control-plane": "kserve-controller-manager"}
_CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: inferenceservice-config, namespace: {{ .Release.Namespace }}}
data:
  deploy: {{ dict "defaultDeploymentMode" .Values.kserve.controller.deploymentMode | toJson | quote }}
  ingress: >-
    {{ dict "disableIngressCreation" .Values.kserve.controller.gateway.disableIngressCreation | toJson }}
  service: {{ dict "serviceClusterIPNone" .Values.kserve.service.serviceClusterIPNone | toJson | quote }}
"""
_SERVING_CERTIFICATE = """\
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: selfsigned-issuer, namespace: {{ .Release.Namespace }}}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: serving-cert, namespace: {{ .Release.Namespace }}}
spec:
  dnsNames: [kserve-webhook-server-service.{{ .Release.Namespace }}.svc]
  issuerRef: {kind: Issuer, name: selfsigned-issuer}
  secretName: kserve-webhook-server-cert
"""
_STORAGE = """\
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterStorageContainer
metadata: {name: default}
spec:
  container: {name: storage-initializer, image: "kserve/storage-initializer:{{ .Chart.AppVersion }}"}
  supportedUriFormats: [{prefix: "hf://"}, {prefix: "s3://"}]
"""
KSERVE = StandIn(
    "kserve-resources",
    {
        "controller.yaml": workload("kserve-controller-manager", "kserve/kserve-controller", _KSERVE),
        "config.yaml": _CONFIG,
        "certificate.yaml": _SERVING_CERTIFICATE,
        "storage.yaml": _STORAGE,
        "admission.yaml": together(
            service("kserve-webhook-server-service", 443, 9443, _KSERVE),
            *(
                webhook(
                    "inferenceservice.serving.kserve.io",
                    "kserve-webhook-server-service",
                    "serving.kserve.io",
                    "v1beta1",
                    ["inferenceservices"],
                    changes=changes,
                )
                for changes in (False, True)
            ),
        ),
    },
    values={
        "kserve": {
            "controller": {"deploymentMode": "Knative", "gateway": {"disableIngressCreation": False}},
            "service": {"serviceClusterIPNone": False},
        }
    },
    schema=_of(
        kserve=_of(
            controller=_of(
                deploymentMode={"enum": ["Knative", "Standard", "Serverless", "RawDeployment"]},
                gateway=_of(
                    domain=_TEXT,
                    urlScheme=_TEXT,
                    disableIngressCreation=_BOOLEAN,
                    ingressGateway=_of(
                        enableGatewayApi=_BOOLEAN, kserveGateway=_TEXT, createGateway=_BOOLEAN, className=_TEXT
                    ),
                ),
            ),
            service=_of(serviceClusterIPNone=_BOOLEAN),
            storage=_of(resources=_RESOURCES),
            llmisvcConfigs=_of(enabled=_BOOLEAN),
        )
    ),
)
_POLICY = """\
apiVersion: nvidia.com/v1
kind: ClusterPolicy
metadata: {name: cluster-policy}
spec:
  operator: {defaultRuntime: {{ .Values.operator.defaultRuntime }}}
  daemonsets: {}
  dcgm: {enabled: false}
  dcgmExporter: {serviceMonitor: {enabled: {{ .Values.dcgmExporter.serviceMonitor.enabled }}}}
  devicePlugin: {}
  driver: {enabled: {{ .Values.driver.enabled }}}
  gfd: {}
  nodeStatusExporter: {enabled: false}
  toolkit: {enabled: {{ .Values.toolkit.enabled }}}
"""
GPU_OPERATOR = StandIn(
    "gpu-operator",
    {
        "operator.yaml": workload("gpu-operator", "nvcr.io/nvidia/gpu-operator", {"app": "gpu-operator"}),
        "nfd.yaml": "{{- if .Values.nfd.enabled }}\n"
        + workload("gpu-operator-node-feature-discovery-master", "registry.k8s.io/nfd/nfd", {"app": "nfd-master"})
        + "{{- end }}\n",
        "policy.yaml": _POLICY,
    },
    values={
        "driver": {"enabled": True},
        "toolkit": {"enabled": True},
        "nfd": {"enabled": True},
        "dcgmExporter": {"serviceMonitor": {"enabled": False}},
        "operator": {"defaultRuntime": "containerd"},
    },
    schema=_of(
        driver=_of(enabled=_BOOLEAN, version=_TEXT),
        toolkit=_of(enabled=_BOOLEAN),
        nfd=_of(enabled=_BOOLEAN),
        dcgmExporter=_of(serviceMonitor=_of(enabled=_BOOLEAN)),
        mig=_of(strategy=_TEXT),
        cdi=_of(enabled=_BOOLEAN),
        operator=_of(defaultRuntime=_TEXT),
    ),
    crds=("nvidia-gpu-operator",),
    crds_apart=True,
)
OLD_KSERVE = replace(KSERVE, name="kserve")  # as it was called up to 0.16
ALL = {
    each.name: each
    for each in (CERT_MANAGER, ISTIO_BASE, ISTIOD, KUADRANT, KSERVE_CRD, KSERVE, OLD_KSERVE, GPU_OPERATOR)
}


def mirrored(steps: list[Step], folder: Path) -> Path:
    """A mirror, as `maas mirror` leaves it, that holds stand-ins for all that these steps bring."""
    for part in ("charts", "manifests"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for action in (action for step in steps for action in step.actions):
        if isinstance(action, Chart) and not (folder / packed(action)).exists():
            pack(ALL[action.chart.rpartition("/")[2]], action.version, folder / "charts")
        elif isinstance(action, Manifest):
            (folder / "manifests" / action.name).write_text(gateway_bundle(action))
    mirror.seal(folder, mirror.places(steps))
    return folder


def gateway_bundle(manifest: Manifest) -> str:
    """Of Gateway API, with the version in its name."""
    version = "v" + manifest.name.removeprefix("gateway-api-").removesuffix(".yaml")
    marks = {gateway_api.BUNDLE_VERSION: version, gateway_api.CHANNEL: "standard"}
    return "\n---\n".join(json.dumps(crd) for crd in definitions(("gateway-api",), marks))
