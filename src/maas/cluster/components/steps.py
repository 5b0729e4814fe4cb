"""All components of the stack as steps, as if the cluster had none of them; what others installed is left out."""

from collections.abc import Iterable

from maas.cluster.components import cert_manager, gateway_api, gpu_operator, istio, kserve, kuadrant, on_openshift
from maas.cluster.plan.model import Step
from maas.cluster.wanted import Target, Wanted


def steps(wanted: Wanted) -> list[Step]:
    made = on_openshift.steps(wanted) if wanted.site.target is Target.openshift else _on_kubernetes(wanted)
    return [step for step in made if step.key not in wanted.site.theirs]


def _on_kubernetes(wanted: Wanted) -> Iterable[Step]:
    site = wanted.site
    yield from gateway_api.steps(site)
    yield from cert_manager.steps(site)
    yield from istio.steps(site)
    yield from kuadrant.steps(site)
    yield from kserve.steps(site)
    if wanted.gpu_operator:
        yield from gpu_operator.steps(site)
