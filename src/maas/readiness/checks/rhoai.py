"""OpenShift AI or Open Data Hub: its operator, what it was asked for, and whether it got there."""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.components import kserve, rhoai
from maas.cluster.components.pins import pins
from maas.cluster.components.versions import at_least, openshift, version
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.kinds import DATA_SCIENCE_CLUSTER, INFERENCE_SERVICE, KNATIVE_SERVING
from maas.cluster.objects import Object, annotation, mapping, name, namespace, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.conditions import why
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, warning
from maas.readiness.installing import OLM_CODES, absent, operator

_NOT_HERE = "not for Kubernetes: KServe is installed by itself"
_NO_OPERATOR = "OpenShift AI is not installed"


@check(
    "MAAS-250",
    "OpenShift AI is installed",
    Category.rhoai,
    wanted="the operator of Red Hat OpenShift AI or of Open Data Hub, or KServe by itself",
    looks="OLM's operators rhods-operator and opendatahub-operator; KServe's controller where neither is there.",
    why="On OpenShift it brings KServe and keeps it.",
    mend="`maas install` brings it.",
    covers=("3. Red Hat OpenShift AI (RHOAI)", "RHOAI operator installed"),
    after=OLM_CODES,
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = rhoai.operators(facts)
    if there:
        yield from (operator(each, asked) for each in there)
    elif asked.target is not Target.openshift:
        yield skipped(_NOT_HERE)
    elif kserve.controllers(facts):
        yield skipped("not needed: KServe is installed by itself, without OpenShift AI")
    else:
        yield absent(asked, _NO_OPERATOR, step="rhoai")


def _phase(object: Object, kind: str) -> Outcome:
    about, phase = f"{kind} {name(object)}", text(object, "status", "phase")
    bad = rhoai.bad_conditions(object)
    seen = [Seen(about, "status.phase", phase or "absent")]
    seen += [Seen(about, f"status.conditions[{text(each, 'type')}]", why(each)) for each in bad[:4]]
    if phase == "Ready" and not _unready(bad):
        return passed(f"{name(object)} is ready", *seen[:1], about=about)
    told = "; ".join(f"{text(each, 'type')}: {why(each)}" for each in bad[:2]) or "no condition says why"
    remedy = Remedy("Do what the conditions' messages ask for.", (f"oc describe {kind.lower()} {word(name(object))}",))
    if rhoai.kserve_is_ready(object):
        return warning(f"KServe is ready, but not all of it: {told}", *seen, remedy=remedy, about=about)
    return failed(f"{phase or 'not ready'}: {told}", *seen, remedy=remedy, about=about)


def _unready(conditions: list[Object]) -> bool:
    """A component that nobody asked for is False as well, with the reason Removed."""
    return any(text(each, "type") == "Ready" for each in conditions)


@check(
    "MAAS-251",
    "the DSCInitialization is ready",
    Category.rhoai,
    wanted="exactly one, phase Ready",
    looks="DSCInitialization objects.",
    why="Nothing of OpenShift AI is installed before its initialisation has succeeded.",
    mend="Do what the conditions' messages ask for.",
    covers=("3. Red Hat OpenShift AI (RHOAI)",),
    after=("MAAS-204", "MAAS-250", "MAAS-232"),
)
def initialization(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = rhoai.initializations(facts)
    if not there:
        yield _none_yet(facts, asked, "DSCInitialization")
    elif len(there) > 1:
        yield _too_many(there, "DSCInitialization")
    yield from (_phase(each, "DSCInitialization") for each in there[:3])


def _none_yet(facts: Facts, asked: Asked, kind: str) -> Outcome:
    if not rhoai.operators(facts):
        return skipped(_NO_OPERATOR if asked.target is Target.openshift else _NOT_HERE)
    return absent(asked, f"there is no {kind}", step="rhoai")


def _too_many(there: list[Object], kind: str) -> Outcome:
    seen = [Seen(f"{kind} {name(each)}") for each in there[:5]]
    return failed(f"there are {len(there)} of them", *seen, remedy=Remedy("Keep one."), about=f"{kind}s")


@check(
    "MAAS-252",
    "the DataScienceCluster is ready",
    Category.rhoai,
    wanted="exactly one, phase Ready",
    looks="DataScienceClusters, and the messages of their conditions that are False.",
    why="It says which parts of OpenShift AI are to be there, and which of them came up.",
    mend="Do what the conditions' messages ask for: often another operator is missing.",
    covers=("3. Red Hat OpenShift AI (RHOAI)", "Check RHOAI"),
    after=("MAAS-204", "MAAS-232", "MAAS-235", "MAAS-241", "MAAS-251"),
)
def cluster(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = rhoai.clusters(facts)
    if not there:
        yield _none_yet(facts, asked, "DataScienceCluster")
    elif len(there) > 1:
        yield _too_many(there, "DataScienceCluster")
    yield from (_phase(each, "DataScienceCluster") for each in there[:3])


def _patch(cluster: Object, fields: dict[str, object]) -> Change:
    body = {"spec": {"components": {"kserve": fields}}}
    return Change(Verb.patch, DATA_SCIENCE_CLUSTER, name(cluster), body=body)


@check(
    "MAAS-253",
    "OpenShift AI manages KServe",
    Category.rhoai,
    wanted="spec.components.kserve.managementState: Managed",
    looks="the DataScienceCluster.",
    why="With Removed, OpenShift AI deletes KServe, and every model's pods with it.",
    mend="Set it to Managed.",
)
def management(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = rhoai.clusters(facts)
    if not there:
        yield _none_yet(facts, asked, "DataScienceCluster")
    for each in there:
        about, state = f"DataScienceCluster {name(each)}", text(rhoai.kserve(each), "managementState")
        seen = Seen(about, "spec.components.kserve.managementState", state or "absent")
        if rhoai.manages_kserve(each):
            yield passed("KServe is managed", seen, about=about)
        elif kserve.controllers(facts) and not any(map(kserve.of_openshift_ai, kserve.controllers(facts))):
            yield skipped("OpenShift AI leaves KServe alone; another one is installed")
        else:
            remedy = Remedy("Let OpenShift AI bring KServe.", changes=(_patch(each, {"managementState": "Managed"}),))
            yield failed(f"KServe is {state or 'not asked for'}", seen, remedy=remedy, about=about)


@check(
    "MAAS-254",
    "Services of models have an address",
    Category.rhoai,
    severity=Severity.warning,
    wanted="spec.components.kserve.rawDeploymentServiceConfig: Headed",
    looks="the DataScienceCluster.",
    why="OpenShift AI makes headless Services by default: port 80 is not translated to the model's port there, so "
    "clients that call a model by its Service's name are refused. Istio's gateway is not affected.",
    mend="Set it to Headed; models that are there already keep their Service until it is deleted.",
    covers=("Issue 3: KServe Headless Service Issues",),
)
def service_config(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = [each for each in rhoai.clusters(facts) if rhoai.manages_kserve(each)]
    if not there:
        yield skipped("no OpenShift AI that manages KServe")
    for each in there:
        about, found = f"DataScienceCluster {name(each)}", rhoai.headed(each)
        seen = Seen(about, "spec.components.kserve.rawDeploymentServiceConfig", found)
        if found == "Headed":
            yield passed("Services of models get an address", seen, about=about)
        else:
            change = _patch(each, {"rawDeploymentServiceConfig": "Headed"})
            yield warning(
                "Services of models are headless", seen, remedy=Remedy("Set it.", changes=(change,)), about=about
            )


@check(
    "MAAS-255",
    "OpenShift AI and its DataScienceCluster are of one generation",
    Category.rhoai,
    severity=Severity.warning,
    wanted="3.x with DataScienceCluster v2; 2.x without the Serverless mode",
    looks="the operator's version, and fields of 2.x in the DataScienceCluster and DSCInitialization.",
    why="3.x drops serving, defaultDeploymentMode and serviceMesh without a word. 2.x in Serverless mode needs Service "
    "Mesh 2 and Serverless, and is not what the platform is built for.",
    mend="Use v2 with 3.x. On 2.x, set defaultDeploymentMode to RawDeployment, serving and serviceMesh to Removed.",
)
def generation(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    operators, there = rhoai.operators(facts), rhoai.clusters(facts)
    if not operators and not there:
        yield skipped(_NO_OPERATOR if asked.target is Target.openshift else _NOT_HERE)
        return
    found = [each for cluster in there for each in _generation(facts, cluster)] + list(_versions(facts))
    yield from found
    if not found:
        yield passed(f"generation {'3' if rhoai.is_3(facts) else '2'}, without leftovers of another")


def _versions(facts: Facts) -> Iterator[Outcome]:
    pin, platform = pins()["rhoai"], openshift(facts)
    for each in rhoai.operators(facts):
        about, found = f"{each.package.name} in {namespace(each.csv or {}) or each.namespace}", version(each.version)
        if found is None:
            continue
        if pin.is_old(found):
            remedy = Remedy(f"Upgrade it: {pin.floor} is the oldest that is worked with.")
            yield warning(f"{each.package.title} {each.version} is old", remedy=remedy, about=about)
        if at_least(found, (3,)) and platform and pin.openshift.too_old(platform):
            remedy = Remedy("Upgrade OpenShift, or use OpenShift AI 2.x.")
            yield warning(f"OpenShift AI 3 asks for OpenShift {pin.openshift}", remedy=remedy, about=about)


def _generation(facts: Facts, cluster: Object) -> Iterator[Outcome]:
    about, fields = f"DataScienceCluster {name(cluster)}", rhoai.kserve(cluster)
    old = [key for key in ("serving", "defaultDeploymentMode") if key in fields]
    seen = [Seen(about, f"spec.components.kserve.{key}") for key in old]
    if rhoai.is_3(facts) and old:
        message = f"OpenShift AI 3 ignores {names(old)}: they are of 2.x"
        remedy = Remedy("Remove them; KServe runs in Standard mode.", changes=(_patch(cluster, dict.fromkeys(old)),))
        yield warning(message, *seen, remedy=remedy, about=about)
    elif not rhoai.is_3(facts) and rhoai.wants_serverless(cluster):
        yield warning(
            "KServe is to run in Serverless mode", *seen, remedy=_without_knative(facts, cluster), about=about
        )
    if rhoai.is_3(facts) and any(mapping(each, "spec", "serviceMesh") for each in rhoai.initializations(facts)):
        yield warning("OpenShift AI 3 ignores serviceMesh in the DSCInitialization", about=about)


def _without_knative(facts: Facts, cluster: Object) -> Remedy:
    """Somebody's decision where models would lose what serves them."""
    change = _patch(cluster, {"defaultDeploymentMode": "RawDeployment", "serving": {"managementState": "Removed"}})
    advice = "Use the mode without Knative"
    try:
        models = list(filter(_may_be_serverless, facts.whole(INFERENCE_SERVICE)))
        knative = facts.whole(KNATIVE_SERVING)
    except NotRead as missing:
        return Remedy(f"{advice}, after a look at what runs in Serverless mode ({missing}).", (change.command,))
    if models:
        stopped = names(map(place, models))
        return Remedy(f"{advice}. Move the models first that it serves, or they stop: {stopped}.", (change.command,))
    if knative:
        return Remedy(f"{advice}. OpenShift AI removes Knative then: see that nothing else uses it.", (change.command,))
    return Remedy(f"{advice}.", changes=(change,))


def _may_be_serverless(model: Object) -> bool:
    """Also one that names no mode: the default is Serverless here."""
    modes = {annotation(model, "serving.kserve.io/deploymentMode"), text(model, "status", "deploymentMode")} - {""}
    return not modes or not modes <= {"RawDeployment", "Standard", "ModelMesh"}
