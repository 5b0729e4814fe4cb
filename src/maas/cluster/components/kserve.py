"""KServe: turns an InferenceService into a Deployment and a Service. By Helm, or brought by OpenShift AI."""

import json
from dataclasses import replace
from typing import Any

from maas.cluster.components import rhoai
from maas.cluster.components.charts import crd_served, fitting, its_namespace, runs
from maas.cluster.components.state import By, Installation, deployments, image_version, installation
from maas.cluster.components.versions import at_least, version
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import (
    CLUSTER_SERVING_RUNTIME,
    CLUSTER_STORAGE_CONTAINER,
    CONFIG_MAP,
    ENDPOINT_SLICE,
    INFERENCE_SERVICE,
    VALIDATING_WEBHOOK,
)
from maas.cluster.objects import Object, flag, items, label, mapping, name, namespace, text, texts
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Chart, Step, Wait
from maas.cluster.wanted import Site

CONTROLLER = "kserve-controller-manager"
LLM_CONTROLLER = "llmisvc-controller-manager"
CONFIG = "inferenceservice-config"
WEBHOOK_SERVICE = "kserve-webhook-server-service"
STANDARD_MODES = ("Standard", "RawDeployment")


def controllers(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return deployments(facts, CONTROLLER)


def llm_controllers(facts: Facts) -> list[Object]:
    """Of LLMInferenceServices; MaaS's own models need none. Raises NotRead."""
    return deployments(facts, LLM_CONTROLLER)


def installations(facts: Facts) -> list[Installation]:
    """One for each of the controllers. Raises NotRead."""
    return [
        _of_openshift_ai(facts, each) if of_openshift_ai(each) else installation(each) for each in controllers(facts)
    ]


def _of_openshift_ai(facts: Facts, controller: Object) -> Installation:
    """Its images have digests and no tags: the DataScienceCluster tells the version."""
    found = replace(installation(controller), by=By.openshift_ai)
    for cluster in rhoai.clusters(facts):
        if told := rhoai.kserve_version(cluster):
            field = "status.components.kserve.releases"
            return replace(
                found, version=told.removeprefix("v"), told_by=(f"DataScienceCluster {name(cluster)}", field, told)
            )
    return found


def served(facts: Facts) -> bool:
    """Raises NotRead."""
    return facts.serves(INFERENCE_SERVICE)


def config(facts: Facts, in_namespace: str) -> Object | None:
    """Raises NotRead."""
    return facts.one(CONFIG_MAP, CONFIG, in_namespace)


def section(config: Object, key: str) -> Any:
    """A part of the configuration, each of which is a text of JSON; None if it is absent or no JSON."""
    try:
        return json.loads(text(config, "data", key))
    except (ValueError, RecursionError):
        return None


def is_readable(config: Object, key: str) -> bool:
    """What is absent has KServe's defaults; what is there must be an object."""
    return not text(config, "data", key) or isinstance(section(config, key), dict)


def deployment_mode(config: Object) -> str:
    return text(section(config, "deploy"), "defaultDeploymentMode")


def with_mode(config: Object, mode: str) -> dict[str, str]:
    """The part of the configuration that has to be written for another mode."""
    known = section(config, "deploy")
    return {
        "deploy": json.dumps({**(known if isinstance(known, dict) else {}), "defaultDeploymentMode": mode}, indent=2)
    }


def standard_mode(controller: Object) -> str:
    """What the mode without Knative is called: KServe 0.16 renamed it, and still understands the old name."""
    found = version(image_version(controller))
    return "Standard" if found and at_least(found, (0, 16)) else "RawDeployment"


def headless(config: Object) -> bool:
    return flag(section(config, "service"), "serviceClusterIPNone")


def webhook_services(facts: Facts) -> set[tuple[str, str]]:
    """Namespace and name of each Service that the API server asks about InferenceServices. Raises NotRead."""
    return {
        (text(service, "namespace"), text(service, "name"))
        for configuration in facts.all(VALIDATING_WEBHOOK)
        for webhook in items(configuration, "webhooks")
        if _is_about_models(webhook) and (service := mapping(webhook, "clientConfig", "service"))
    }


def _is_about_models(webhook: Object) -> bool:
    """About InferenceServices; LLMInferenceServices have a webhook and a controller of their own."""
    return any(
        INFERENCE_SERVICE.group in texts(rule, "apiGroups")
        and {INFERENCE_SERVICE.plural, "*"} & {*texts(rule, "resources")}
        for rule in items(webhook, "rules")
    )


def endpoints(facts: Facts, in_namespace: str, service: str) -> int:
    """How many addresses are ready behind a Service. Raises NotRead."""
    slices = [
        each
        for each in facts.all(ENDPOINT_SLICE)
        if namespace(each) == in_namespace and label(each, "kubernetes.io/service-name") == service
    ]
    return sum(1 for each in slices for endpoint in items(each, "endpoints") if _is_ready(endpoint))


def _is_ready(endpoint: Object) -> bool:
    """Kubernetes' rule: an endpoint whose readiness is unknown counts as ready."""
    return mapping(endpoint, "conditions").get("ready") is not False


def of_openshift_ai(controller: Object) -> bool:
    owners = {text(each, "kind") for each in items(controller, "metadata", "ownerReferences")}
    known = owners & {"Kserve", "DataScienceCluster"} or namespace(controller) in rhoai.APPLICATIONS
    return bool(known or _part_of(controller))


def _part_of(controller: Object) -> str:
    return label(controller, "platform.opendatahub.io/part-of") or label(controller, "app.opendatahub.io/kserve")


NAMESPACE = "kserve"
_CHARTS = "oci://ghcr.io/kserve/charts"
_IN_ITS_CHART = (INFERENCE_SERVICE, CLUSTER_STORAGE_CONTAINER, CLUSTER_SERVING_RUNTIME)


def steps(site: Site) -> list[Step]:
    """Two steps: the second chart holds objects of the first one's kinds, which have to be Established by then."""
    number = fitting("kserve", site)
    crds = Chart("kserve-crd", NAMESPACE, f"{_CHARTS}/kserve-crd", f"v{number}")
    return [
        Step(
            "kserve-crd",
            f"KServe {number}: its kinds",
            "models are written as InferenceServices",
            actions=(its_namespace(NAMESPACE), crds),
            waits=tuple(crd_served(kind.plural, kind.group) for kind in _IN_ITS_CHART),
            undo=f"helm uninstall kserve-crd -n {NAMESPACE}   # and with it every model",
        ),
        _controller(number),
    ]


def _controller(number: str) -> Step:
    named = "kserve-resources" if at_least(version(number) or (), (0, 17)) else "kserve"  # it was renamed
    chart = Chart("kserve", NAMESPACE, f"{_CHARTS}/{named}", f"v{number}", values=_values(number))
    return Step(
        "kserve",
        f"KServe {number}",
        "it makes a Deployment and a Service of each model",
        actions=(chart,),
        waits=(runs(CONTROLLER, NAMESPACE), _takes_models()),
        needs=("kserve-crd", "cert-manager"),
        undo=f"helm uninstall kserve -n {NAMESPACE}",
        affects="models keep serving while its controller restarts; their pods may be replaced one after another",
    )


def _values(number: str) -> dict[str, Any]:
    """Without Knative; the routes are ours, so it writes none; Services have an address of their own."""
    mode = "Standard" if at_least(version(number) or (), (0, 16)) else "RawDeployment"
    controller = {"deploymentMode": mode, "gateway": {"disableIngressCreation": True}}
    return {"kserve": {"controller": controller, "service": {"serviceClusterIPNone": False}}}


def _takes_models() -> Wait:
    """Its webhooks answer: that they have endpoints would not yet say that their certificates are there."""
    model = {
        "apiVersion": f"{INFERENCE_SERVICE.group}/v1beta1",
        "kind": INFERENCE_SERVICE.name,
        "metadata": {"name": "maas-probe", "namespace": NAMESPACE},
        "spec": {"predictor": {"containers": [{"name": "kserve-container", "image": "none.invalid/none"}]}},
    }
    what = "KServe's webhooks accept an InferenceService (dry run)"
    return Wait(INFERENCE_SERVICE, "maas-probe", NAMESPACE, conditions.taken, what, 180.0, model)
