"""Models that others serve: a small Envoy of the platform's own, which speaks to them and holds their key.

Istio can lead a route out of the cluster by itself (a ServiceEntry, and a backendRef of kind Hostname), but it cannot
add a credential from a Secret: a route's RequestHeaderModifier wants the key written out, where everybody who may read
routes reads it, and Envoy's credential injector takes its secrets from a server that istiod fills with certificates
only. OpenShift's own gateway has no ServiceEntries at all. So the key stays in a Secret that nothing but these pods
mounts, and a client's own key ends before it.

It also reads bodies, as the embedded target does: an endpoint is asked for its one model, by the name that it knows,
and streams are asked to report their usage, since Kuadrant counts nothing else. What is not done here: endpoints do not
stand in for one another, but where no connection can be made.
"""

import base64
import hashlib
import json
from collections.abc import Iterator

from maas.cluster.components.pins import pins
from maas.cluster.kinds import DEPLOYMENT
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Wait
from maas.cluster.resources import envoy, names, security, services
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model

IMAGE = "docker.io/envoyproxy/envoy"
_CONFIG, _KEYS = "/etc/maas/envoy", "/etc/maas/keys"
_REPLICAS = 2
_START = 120.0


def name(model: Model) -> str:
    return f"{names.object_name(model.name)}-external"


def secret(model: Model) -> str:
    """Its entries are endpoint-1, endpoint-2, …, in the order of maas.yaml."""
    return f"{names.object_name(model.name)}-credentials"


def ports(model: Model) -> list[int]:
    """Of its endpoints."""
    return sorted({envoy.port(each.url) for each in model.endpoints})


def objects(wanted: Wanted, model: Model) -> Iterator[Body]:
    """Without the Secret, where nobody has given the keys: then it is the user's to make."""
    where = wanted.namespace
    files = {
        "envoy.json": _text(envoy.config(model, services.PORT, envoy.Files(f"{_CONFIG}/keys.json", _KEYS))),
        "keys.json": _text(envoy.secrets(model, _KEYS)),
    }
    yield made("v1", "ConfigMap", name(model), where, data=files)
    if keys := _keys(wanted, model):
        yield made("v1", "Secret", secret(model), where, type="Opaque", data=keys)
    yield _deployment(wanted, model, files)
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": services.selector(model)}}
    yield made("policy/v1", "PodDisruptionBudget", name(model), where, spec=budget)


def wait(wanted: Wanted, model: Model) -> Wait:
    said = f"Deployment {wanted.namespace}/{name(model)} is available"
    return Wait(DEPLOYMENT, name(model), wanted.namespace, conditions.available, said, _START)


def _keys(wanted: Wanted, model: Model) -> dict[str, str]:
    return {
        f"endpoint-{at}": base64.b64encode(wanted.credentials[each.api_key_file].encode()).decode()
        for at, each in envoy.numbered(model)
        if each.api_key_file and each.api_key_file in wanted.credentials
    }


def _text(config: envoy.Json) -> str:
    return json.dumps(config, indent=1) + "\n"


def _deployment(wanted: Wanted, model: Model, files: dict[str, str]) -> Body:
    """The annotation starts new pods when the configuration changes; keys are read again without."""
    labels = services.selector(model)
    digest = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:16]
    with_keys = any(each.api_key_file for each in model.endpoints)
    volumes = [{"name": "config", "configMap": {"name": name(model)}}]
    if with_keys:
        volumes.append({"name": "keys", "secret": {"secretName": secret(model)}})
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": security.of_pod(wanted),
        "topologySpreadConstraints": [spread],
        "containers": [_container(with_keys)],
        "volumes": volumes,
    }
    template = {"metadata": {"labels": labels, "annotations": {"maas.io/config": digest}}, "spec": pod}
    spec = {"replicas": _REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    return made("apps/v1", "Deployment", name(model), wanted.namespace, spec=spec)


def _container(with_keys: bool) -> Body:
    mounts = [{"name": "config", "mountPath": _CONFIG, "readOnly": True}]
    if with_keys:
        mounts.append({"name": "keys", "mountPath": _KEYS, "readOnly": True})
    return {
        "name": "envoy",
        "image": f"{IMAGE}:distroless-v{pins()['envoy'].version}",
        "command": ["/usr/local/bin/envoy"],
        "args": ["--config-path", f"{_CONFIG}/envoy.json", "--disable-hot-restart", "--log-level", "warning"],
        "ports": [{"name": "http", "containerPort": services.PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
        "securityContext": dict(security.of_container()),
        "readinessProbe": {"httpGet": {"path": envoy.HEALTH, "port": services.PORT}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": envoy.HEALTH, "port": services.PORT}, "periodSeconds": 10},
        "volumeMounts": mounts,
    }
