"""The gateway itself: its listeners, its certificate, and how Istio is told to run it."""

from dataclasses import replace

import pytest
import yaml

from maas.cluster.objects import Object, items, mapping, text, texts
from maas.cluster.plan import planning
from maas.cluster.plan.model import Apply, Step
from maas.cluster.resources import certificates, gateway, gateway_pods
from maas.cluster.resources.steps import steps
from maas.cluster.wanted import Mesh, Site, Target
from tests.kubernetes import offline
from tests.kubernetes.clusters import making
from tests.kubernetes.resources.wishes import site, wanted


def applied(on: Site) -> list[Object]:
    step, _ = gateway.steps(wanted(on=on))
    return [action.object for action in step.actions if isinstance(action, Apply)]


def test_it_speaks_https_with_the_certificate_that_is_made() -> None:
    wish = wanted(on=site(domain="models.example.com"))
    listeners = {text(each, "name"): each for each in items(gateway.gateway(wish), "spec", "listeners")}
    assert {text(each, "hostname") for each in listeners.values()} == {"*.models.example.com"}
    (ref,) = items(listeners["https"], "tls", "certificateRefs")
    made = {
        text(each, "metadata", "name"): each
        for each in certificates.certificates(wish)
        if each["kind"] == "Certificate"
    }
    served = made[text(ref, "name")]
    assert texts(served, "spec", "dnsNames") == ["*.models.example.com"]
    issuers = {
        text(each, "metadata", "name"): each for each in certificates.certificates(wish) if each["kind"] == "Issuer"
    }
    signer = issuers[text(served, "spec", "issuerRef", "name")]
    authority = next(
        each for each in made.values() if text(each, "spec", "secretName") == text(signer, "spec", "ca", "secretName")
    )
    assert mapping(authority, "spec")["isCA"] is True


def test_on_openshift_it_stays_inside_and_needs_no_certificate() -> None:
    wish = wanted(on=site(Target.openshift))
    annotations = mapping(gateway.gateway(wish), "metadata", "annotations")
    assert annotations == {"networking.istio.io/service-type": "ClusterIP"}
    assert certificates.steps(wish) == []


@pytest.mark.parametrize("target", Target)
def test_nobody_else_s_routes_are_let_in(target: Target) -> None:
    for each in items(gateway.gateway(wanted(on=site(target))), "spec", "listeners"):
        assert mapping(each, "allowedRoutes") == {"namespaces": {"from": "Same"}}


def test_there_are_two_of_it_and_never_none() -> None:
    settings, made = applied(site())
    ref = mapping(made, "spec", "infrastructure", "parametersRef")
    assert (ref["kind"], ref["name"]) == ("ConfigMap", text(settings, "metadata", "name"))
    deployment = yaml.safe_load(text(settings, "data", "deployment"))
    assert deployment["spec"]["replicas"] == 2
    assert yaml.safe_load(text(settings, "data", "podDisruptionBudget")) == {"spec": {"minAvailable": 1}}


@pytest.mark.parametrize(
    "on",
    [
        replace(site(), versions={"istio": "1.25.4"}),  # refuses the reference
        site(Target.openshift),  # whose operator runs it
    ],
)
def test_where_istio_does_not_read_it_nothing_refers_to_it(on: Site) -> None:
    (made,) = applied(on)
    assert "infrastructure" not in mapping(made, "spec")


def test_service_mesh_2_lets_the_router_reach_its_pods() -> None:
    wish = wanted(on=replace(site(Target.openshift), mesh=Mesh.service_mesh_2))
    assert gateway_pods.infrastructure(wish) == {"infrastructure": {"labels": {"maistra.io/expose-route": "true"}}}


def test_a_cluster_that_gives_no_addresses_holds_nothing_else_up() -> None:
    """kind, bare metal: routes and models go on, and the step ends by itself."""
    made, address = gateway.steps(wanted())
    assert not any("Programmed" in each.what for each in made.waits)
    (wait,) = address.waits
    unaddressed = {"type": "Programmed", "status": "False", "reason": "AddressNotAssigned"}
    seen = wait.until({"status": {"conditions": [{"type": "Accepted", "status": "True"}, unaddressed]}})
    assert seen.enough and wait.patience <= 60
    needed = {key for step in steps(wanted()) for key in step.needs}
    assert address.key not in needed


def test_an_authority_of_the_user_s_own_is_left_as_it_is() -> None:
    """Made beforehand under the name of ours, it signs the gateway's certificate."""
    wish = wanted()
    theirs = making.made(
        "cert-manager.io/v1", "Issuer", certificates.CA, "llm", spec={"acme": {"email": "x@example.com"}}
    )
    (step,) = planning.reduced(certificates.steps(wish), offline.facts(theirs)).steps
    applied = {text(a.object, "kind"): a.object for a in step.actions if isinstance(a, Apply) and _is_of_leaf(a.object)}
    assert not any(_called(each) == ("Issuer", certificates.CA) for each in _objects(step))
    assert text(applied["Certificate"], "spec", "issuerRef", "name") == certificates.CA


def _objects(step: Step) -> list[Object]:
    return [action.object for action in step.actions if isinstance(action, Apply)]


def _called(object: Object) -> tuple[str, str]:
    return text(object, "kind"), text(object, "metadata", "name")


def _is_of_leaf(object: Object) -> bool:
    return text(object, "metadata", "name") == certificates.SECRET
