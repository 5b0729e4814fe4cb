"""cert-manager: one of it, up, and its webhook really answering."""

from collections.abc import Iterator

from maas.cluster.components import cert_manager
from maas.cluster.components.pins import pins
from maas.cluster.components.versions import version
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_ISSUER, ISSUER
from maas.cluster.objects import Object, condition, flag, is_true, name, namespace, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.conditions import why
from maas.readiness.evidence import brief, names, some
from maas.readiness.findings import (
    Category,
    Outcome,
    Remedy,
    Seen,
    Severity,
    failed,
    passed,
    skipped,
    unknown,
    warning,
)
from maas.readiness.installing import OLM_CODES, absent, described, operator, told, workload

STEP = "cert-manager"
_ABSENT = "cert-manager is not installed"


@check(
    "MAAS-220",
    "cert-manager is installed",
    Category.cert_manager,
    wanted="its kinds served, and its controller there",
    looks="the API cert-manager.io/v1, its controller's Deployment, and OLM's operators.",
    why="KServe's webhooks and the gateway's TLS get their certificates from it.",
    mend="`maas install` brings it.",
    covers=("6. Cert-Manager",),
    after=OLM_CODES,
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = cert_manager.installations(facts)
    if there:
        yield passed(f"cert-manager {described(there[0])} in {there[0].namespace}", told(there[0]))
    elif cert_manager.served(facts):
        yield absent(asked, "its CRDs are there, but no controller", step=STEP)
    else:
        yield absent(asked, _ABSENT, step=STEP)
    yield from (operator(each, asked) for each in cert_manager.operators(facts) if not each.ready)


@check(
    "MAAS-221",
    "cert-manager's three parts are available",
    Category.cert_manager,
    wanted="the Deployments cert-manager, cert-manager-webhook and cert-manager-cainjector Available",
    looks="their status.",
    why="Without the webhook nothing of cert-manager's can be created; without the CA injector, nothing of KServe's.",
    mend="Look at the pods of what is not available.",
    covers=("6. Cert-Manager",),
    after=("MAAS-204",),
)
def parts(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    controllers = cert_manager.controllers(facts)
    if not controllers:
        yield skipped(_ABSENT)
    for controller in controllers:
        for role, deployment in cert_manager.workloads(facts, controller).items():
            yield workload(deployment, role) if deployment else _no_part(role, controller)


def _no_part(role: str, controller: Object) -> Outcome:
    about = f"Deployment {namespace(controller)}/{role}"
    return failed(
        f"{role} is not there", Seen(about), remedy=Remedy("Install it again, completely.", step=STEP), about=about
    )


@check(
    "MAAS-222",
    "cert-manager accepts an Issuer",
    Category.cert_manager,
    wanted="the API server accepts an Issuer in a dry run",
    looks="what a server-side dry run of creating an Issuer was answered with.",
    why="The certificate of its webhook is injected some time after the pods are up; before that, every request fails.",
    mend="Wait a minute. If it stays so, restart the CA injector, and look whether the API server reaches the webhook.",
    covers=("6. Cert-Manager",),
    after=("MAAS-221",),
)
def dry_run(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not cert_manager.served(facts):
        yield skipped(_ABSENT)
        return
    answer = facts.probe("dry_run_issuer")
    if answer is None:
        yield skipped(
            "not tried: " + ("the cluster was read without it" if facts.source.live else "this is a snapshot")
        )
    elif flag(answer, "accepted"):
        yield passed("a dry run was accepted")
    else:
        yield _refused(brief(text(answer, "message")))


def _refused(message: str) -> Outcome:
    if "forbidden" in message and "webhook" not in message:
        return unknown(f"it could not be tried: {message}")
    command = "kubectl rollout restart deployment -n cert-manager cert-manager-cainjector cert-manager-webhook"
    remedy = Remedy("Wait a minute; then restart the CA injector and the webhook.", (command,))
    return failed(f"the dry run was refused: {message}", Seen("Issuer (dry run)", "answer", message), remedy=remedy)


@check(
    "MAAS-223",
    "one cert-manager only",
    Category.cert_manager,
    wanted="one installation: by Helm, by OLM or from manifests",
    looks="controllers in all namespaces, and OLM's operators.",
    why="Two controllers issue every certificate twice, and two webhooks of different versions refuse each other's.",
    mend="Uninstall the one that you do not want; keep its CRDs.",
)
def one_only(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = cert_manager.installations(facts)
    seen = [told(each) for each in there]
    if len(there) > 1:
        found = names(f"{described(each)} in {each.namespace}" for each in there)
        advice = "Uninstall one of them, and keep the CRDs: deleting them deletes every certificate."
        yield failed(f"there are {len(there)}: {found}", *some(seen), remedy=Remedy(advice))
    elif there:
        yield passed(f"one, by {there[0].by}", *seen)
    else:
        yield skipped(_ABSENT)


@check(
    "MAAS-224",
    "cert-manager is new enough",
    Category.cert_manager,
    wanted="1.13 or newer, as asked for; KServe asks for 1.15",
    looks="the version of the image, or of OLM's operator.",
    why="KServe uses what older versions do not have.",
    mend="Upgrade it, one minor version after the other.",
    covers=("6. Cert-Manager",),
)
def new_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pin, there = pins()["cert-manager"], cert_manager.installations(facts)
    if not there:
        yield skipped(_ABSENT)
    for each in there:
        found = version(each.version)
        remedy = Remedy(f"Upgrade it to {pin.version}, or to the newest that your cluster carries (MAAS-290).")
        if found is None:
            yield warning("nothing tells its version", told(each), remedy=None)
        elif found < (version(pin.asked) or ()):
            yield failed(f"cert-manager {each.version} is older than {pin.asked}", told(each), remedy=remedy)
        elif pin.is_old(found):
            yield warning(f"cert-manager {each.version}: KServe asks for {pin.floor}", told(each), remedy=remedy)
        else:
            yield passed(f"cert-manager {described(each)}", told(each))


@check(
    "MAAS-225",
    "issuers are ready",
    Category.cert_manager,
    severity=Severity.warning,
    wanted="condition Ready of every ClusterIssuer, and of the Issuers beside the gateway",
    looks="ClusterIssuers; Issuers in the namespace of models and in KServe's.",
    why="Certificates of an issuer that is not ready are not issued and not renewed.",
    mend="Do what the condition's message asks for.",
    after=("MAAS-221",),
)
def issuers(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    near = {asked.namespace, "kserve", "kuadrant-system", "istio-system"}
    there = [*facts.all(CLUSTER_ISSUER), *(each for each in facts.all(ISSUER) if namespace(each) in near)]
    bad = [each for each in there if not is_true(each, "Ready")]
    if not there:
        yield skipped("there are no issuers yet")
    elif not bad:
        yield passed(f"ready: {names(map(name, there))}")
    yield from (_issuer(each) for each in bad[:5])


def _issuer(issuer: Object) -> Outcome:
    kind = ISSUER.name if namespace(issuer) else CLUSTER_ISSUER.name
    about, found = f"{kind} {place(issuer)}", condition(issuer, "Ready")
    where = f" -n {word(namespace(issuer))}" if namespace(issuer) else ""
    remedy = Remedy("Do what the message asks for.", (f"kubectl describe {kind.lower()} {word(name(issuer))}{where}",))
    seen = Seen(about, "status.conditions[Ready]", text(found, "status") or "absent")
    return failed(f"not ready: {why(found)}", seen, remedy=remedy, about=about)
