"""KServe: its controller, its webhook, and the mode in which it runs models."""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.components import kserve, rhoai
from maas.cluster.components.pins import pins
from maas.cluster.components.versions import version
from maas.cluster.facts.model import Facts
from maas.cluster.facts.redaction import is_redacted
from maas.cluster.kinds import CONFIG_MAP, KNATIVE_SERVING, LLM_INFERENCE_SERVICE
from maas.cluster.objects import Object, namespace, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning
from maas.readiness.installing import absent, described, softened, told, workload

STEP = "kserve"
_ABSENT = "KServe is not installed"


@check(
    "MAAS-280",
    "KServe is installed",
    Category.kserve,
    wanted="InferenceService served, and its controller there",
    looks="the API serving.kserve.io/v1beta1, and the Deployment kserve-controller-manager.",
    why="It makes a Deployment and a Service of every model.",
    mend="`maas install` brings it; OpenShift AI brings it where a DataScienceCluster asks for it.",
    covers=("3. Red Hat OpenShift AI (RHOAI)",),
    after=("MAAS-252", "MAAS-253"),
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kserve.installations(facts)
    if len(there) > 1:
        found = names(f"{described(each)} in {each.namespace}" for each in there)
        remedy = Remedy("Uninstall the one that OpenShift AI does not manage, and keep the CRDs.")
        yield failed(f"it is installed {len(there)} times: {found}", *map(told, there[:5]), remedy=remedy)
    elif there:
        yield passed(f"KServe {described(there[0])} in {there[0].namespace}", told(there[0]))
    elif kserve.served(facts):
        yield absent(asked, "its CRDs are there, but no controller", step=_step(facts, asked))
    else:
        yield absent(asked, _ABSENT, step=_step(facts, asked))


def _step(facts: Facts, asked: Asked) -> str:
    return "rhoai" if asked.target is Target.openshift or rhoai.operators(facts) else STEP


@check(
    "MAAS-281",
    "KServe's controller is available",
    Category.kserve,
    wanted="Deployment kserve-controller-manager Available; llmisvc-controller-manager, where it is in use",
    looks="its status.",
    why="Without it, models are neither created nor changed.",
    mend="Look at its pods: often the certificate of its webhook is missing.",
    covers=("Model Deployment Failures",),
    after=("MAAS-221", "MAAS-222", "MAAS-252"),
)
def controller(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kserve.controllers(facts)
    if not there:
        yield skipped(_ABSENT)
    yield from (workload(each, f"KServe's controller in {namespace(each)}") for each in there)
    other = (workload(each, "the controller of LLMInferenceServices") for each in kserve.llm_controllers(facts))
    yield from softened(other, when=not facts.known(LLM_INFERENCE_SERVICE))


@check(
    "MAAS-282",
    "KServe's webhook has somebody who answers",
    Category.kserve,
    wanted="at least one ready address behind each Service that webhooks for InferenceServices name",
    looks="ValidatingWebhookConfigurations, and the EndpointSlices of their Services.",
    why="Without an answer, the API server refuses every InferenceService.",
    mend="Bring the controller up (MAAS-281); delete webhooks that an old installation has left behind.",
    covers=("Model Deployment Failures",),
    after=("MAAS-281",),
)
def webhook(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    services = sorted(kserve.webhook_services(facts))
    if not services:
        yield _no_webhook(facts)
    for where, service in services:
        about, ready = f"Service {where}/{service}", kserve.endpoints(facts, where, service)
        seen = Seen(about, "ready endpoints", str(ready))
        if ready:
            yield passed(f"{ready} ready address{'es' if ready > 1 else ''}", seen, about=about)
        else:
            remedy = Remedy("Bring the controller up.", (f"kubectl get pods,endpointslices -n {word(where)}",))
            yield failed(f"nobody answers for {service}", seen, remedy=remedy, about=about)


def _no_webhook(facts: Facts) -> Outcome:
    if not kserve.controllers(facts):
        return skipped(_ABSENT)
    remedy = Remedy("Install KServe again, completely.", step=STEP)
    return warning("there is no webhook for InferenceServices: mistakes in them are found late", remedy=remedy)


@check(
    "MAAS-283",
    "KServe runs models without Knative",
    Category.kserve,
    wanted="defaultDeploymentMode Standard (RawDeployment in older versions), unless Knative is there",
    looks="deploy.defaultDeploymentMode in the ConfigMap inferenceservice-config.",
    why="The chart's default is Knative. Without Knative, a model then waits for ever, and says nothing.",
    mend="Set the mode to Standard, or RawDeployment for KServe before 0.16 and OpenShift AI 2.x.",
    covers=("2. OpenShift Serverless (OpenShift Only)",),
)
def mode(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kserve.controllers(facts)
    if not there:
        yield skipped(_ABSENT)
    for each in there:
        config = kserve.config(facts, namespace(each))
        yield _mode(facts, each, config) if config else _no_config(each)


def _no_config(controller: Object) -> Outcome:
    about = f"ConfigMap {namespace(controller)}/{kserve.CONFIG}"
    return failed(
        "KServe has no configuration", Seen(about), remedy=Remedy("Install it again.", step=STEP), about=about
    )


def _mode(facts: Facts, controller: Object, config: Object) -> Outcome:
    about, found = f"ConfigMap {place(config)}", kserve.deployment_mode(config)
    if is_redacted(text(config, "data", "deploy")):
        return unknown("its configuration was redacted", Seen(about, "data.deploy"))
    if not kserve.is_readable(config, "deploy"):
        return _unreadable(config, "deploy")
    seen = Seen(about, "data.deploy defaultDeploymentMode", found or "absent, which means Knative")
    if found in kserve.STANDARD_MODES:
        return passed(f"models run in {found} mode", seen, about=about)
    remedy = _standard(controller, config)
    if facts.all(KNATIVE_SERVING):
        message = f"models run in {found or 'Knative'} mode unless they say otherwise; MaaS's own say so"
        return warning(message, seen, remedy=remedy, about=about)
    return failed(
        f"models are to run in {found or 'Knative'} mode, and Knative is not there", seen, remedy=remedy, about=about
    )


def _unreadable(config: Object, key: str) -> Outcome:
    """To be mended by hand: to write it anew would throw away whatever else it says."""
    about, command = (
        f"ConfigMap {place(config)}",
        f"kubectl edit configmap {word(kserve.CONFIG)} -n {word(namespace(config))}",
    )
    remedy = Remedy(f"Correct data.{key}: KServe reads nothing of it.", (command,))
    return failed(f"data.{key} is no JSON object", Seen(about, f"data.{key}"), remedy=remedy, about=about)


def _standard(controller: Object, config: Object) -> Remedy:
    if kserve.of_openshift_ai(controller):
        return Remedy("Set defaultDeploymentMode in the DataScienceCluster (MAAS-255): OpenShift AI writes this file.")
    wanted = kserve.standard_mode(controller)
    change = Change(
        Verb.patch, CONFIG_MAP, kserve.CONFIG, namespace(config), {"data": kserve.with_mode(config, wanted)}
    )
    return Remedy(f"Set it to {wanted}; models that are there keep their mode.", changes=(change,))


@check(
    "MAAS-284",
    "KServe is new enough",
    Category.kserve,
    wanted=f"{pins()['kserve'].floor} or newer",
    looks="the version of the controller's image.",
    why="From 0.15 on, hf:// works and Services of models have an address.",
    mend="Upgrade it; OpenShift AI brings its own version.",
    covers=("Issue 5: HuggingFace StorageUri Not Supported",),
)
def new_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pin, there = pins()["kserve"], kserve.controllers(facts)
    if not there:
        yield skipped(_ABSENT)
    for each, found in zip(there, kserve.installations(facts), strict=True):
        number = version(found.version)
        if number is None and kserve.of_openshift_ai(each):
            yield passed("OpenShift AI keeps its version", told(found))
        elif number is None:
            yield warning("nothing tells its version", told(found))
        elif pin.is_old(number):
            yield warning(f"KServe {found.version} is older than {pin.floor}", told(found), remedy=_upgrade(each))
        else:
            yield passed(f"KServe {described(found)}", told(found))


def _upgrade(controller: Object) -> Remedy:
    if kserve.of_openshift_ai(controller):
        return Remedy("Upgrade OpenShift AI, which brings KServe: choose a newer channel in its Subscription.")
    version_ = pins()["kserve"].version
    return Remedy(f"Upgrade it to {version_}, or to the newest that your cluster carries (MAAS-290).")


@check(
    "MAAS-285",
    "KServe gives Services of models an address",
    Category.kserve,
    severity=Severity.warning,
    wanted="service.serviceClusterIPNone false",
    looks="the ConfigMap inferenceservice-config.",
    why="A headless Service does not translate port 80 to the model's: clients that call it by name are refused.",
    mend="Set it to false; on OpenShift AI, set rawDeploymentServiceConfig to Headed in the DataScienceCluster.",
    covers=("Issue 3: KServe Headless Service Issues",),
)
def services(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    configs = [config for each in kserve.controllers(facts) if (config := kserve.config(facts, namespace(each)))]
    if not configs:
        yield skipped(_ABSENT)
    for each in configs:
        about, headless = f"ConfigMap {place(each)}", kserve.headless(each)
        seen = Seen(about, "data.service serviceClusterIPNone", str(headless).lower())
        if is_redacted(text(each, "data", "service")):
            yield unknown("its configuration was redacted", Seen(about, "data.service"))
        elif headless:
            remedy = Remedy("Set it to false, or give clients the gateway's URL, which does not mind.")
            yield warning("Services of models are headless", seen, remedy=remedy, about=about)
        else:
            yield passed("Services of models get an address", seen, about=about)
