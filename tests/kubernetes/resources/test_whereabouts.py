"""Namespaces and domains that no cluster would take, or that are somebody else's, are refused beforehand."""

import re

import pytest

from maas.cluster.plan.planning import every_step
from maas.cluster.wanted import Target
from maas.domain.errors import InvalidInput
from tests.kubernetes.resources.wishes import SIMULATOR, site, wanted

_LONG = ".".join(["a" * 52] * 4)


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        ("Bad_ns", "is no name of a namespace"),
        ("../kube-system", "is no name of a namespace"),
        ("a" * 64, "is no name of a namespace"),
        ("", "is no name of a namespace"),
        ("kube-system", "one of the cluster's own"),
        ("openshift-ingress", "one of the cluster's own"),
        ("kuadrant-system", "goes; name another"),
    ],
)
def test_a_namespace_that_cannot_be_the_platforms_is_refused(target: Target, namespace: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        every_step(wanted(SIMULATOR, on=site(target), namespace=namespace))


@pytest.mark.parametrize(
    "domain", ['a"b.example', "*.example.com", "Foo.Example.COM", "münchen.example", "a.b:8443", "10.0.0.1", _LONG]
)
def test_a_domain_that_no_host_can_be_made_of_is_refused(domain: str) -> None:
    with pytest.raises(InvalidInput, match=r"is no domain that hosts can be made of.*models\.example\.com"):
        every_step(wanted(SIMULATOR, on=site(domain=domain)))


@pytest.mark.parametrize("domain", ["local", "10.0.0.1.nip.io", "apps.cluster-1.example.com", _LONG[:208]])
def test_domains_as_people_have_them_are_taken(domain: str) -> None:
    assert every_step(wanted(SIMULATOR, on=site(domain=domain), namespace="team-1"))
