"""OpenShift Serverless: asked for by the prerequisites, and needed in one case only."""

from collections.abc import Iterator

from maas.cluster.components import rhoai, serverless
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, name, namespace, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.conditions import status, why
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped
from maas.readiness.installing import OLM_CODES, absent, operator, softened

NOT_NEEDED = (
    "not needed: models run in KServe's Standard mode, without Knative. Only OpenShift AI 2.x in Serverless mode needs "
    "it, and OpenShift AI 3 has dropped it"
)


@check(
    "MAAS-240",
    "Serverless is installed, where it is needed",
    Category.serverless,
    wanted="OpenShift Serverless, if a DataScienceCluster of OpenShift AI 2.x asks for the Serverless mode",
    looks="the DataScienceCluster's kserve.serving and defaultDeploymentMode, and OLM's operator serverless-operator.",
    why="The prerequisites ask for it on every OpenShift; that was true for KServe's Serverless mode only.",
    mend="Set defaultDeploymentMode to RawDeployment and serving to Removed, or install OpenShift Serverless.",
    covers=("2. OpenShift Serverless (OpenShift Only)", "Serverless operator installed (OpenShift)"),
    after=OLM_CODES,
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = serverless.operators(facts)
    if asked.target is not Target.openshift and not there:
        yield skipped("not for Kubernetes: models run in KServe's Standard mode, without Knative")
    elif there:
        yield from (operator(each, asked) for each in there)
    elif serverless.needed(facts):
        yield _missing(facts, asked)
    else:
        yield skipped(NOT_NEEDED)


def _missing(facts: Facts, asked: Asked) -> Outcome:
    cluster = next(each for each in rhoai.clusters(facts) if rhoai.wants_serverless(each))
    about = f"DataScienceCluster {name(cluster)}"
    mode = text(rhoai.kserve(cluster), "defaultDeploymentMode") or "absent, which means Serverless"
    seen = Seen(about, "spec.components.kserve.defaultDeploymentMode", mode)
    return absent(
        asked, "OpenShift AI is to run KServe in Serverless mode, without Serverless", seen, step="serverless"
    )


@check(
    "MAAS-241",
    "KnativeServing is ready",
    Category.serverless,
    wanted="condition Ready of knative-serving/knative-serving",
    looks="KnativeServing objects.",
    why="In Serverless mode, KServe gives every model to Knative.",
    mend="Do what the condition's message asks for.",
    covers=("2. OpenShift Serverless (OpenShift Only)",),
    after=("MAAS-204", "MAAS-240", "MAAS-232"),
)
def serving(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = serverless.servings(facts)
    if not there:
        needed = serverless.needed(facts)
        yield absent(asked, "there is no KnativeServing", step="serverless") if needed else skipped(NOT_NEEDED)
    yield from softened((_serving(each) for each in there), when=not serverless.needed(facts))


def _serving(serving: Object) -> Outcome:
    about, found = f"KnativeServing {place(serving)}", condition(serving, "Ready")
    seen = Seen(about, "status.conditions[Ready]", status(found))
    if text(found, "status") == "True":
        return passed(f"{name(serving)} {text(serving, 'status', 'version')} is ready", seen, about=about)
    command = f"oc describe knativeserving -n {word(namespace(serving))} {word(name(serving))}"
    remedy = Remedy("Do what the message asks for.", (command,))
    return failed(f"not ready: {why(found)}", seen, remedy=remedy, about=about)
