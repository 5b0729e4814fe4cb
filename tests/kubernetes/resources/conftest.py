"""An API server with the CRDs of all components that our objects are of, and the namespaces that they are in."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from maas.cluster import kinds
from maas.cluster.objects import Object, name, namespace, text
from maas.cluster.resources.making import made
from tests.kubernetes.cluster import running
from tests.kubernetes.definitions import of_components, stored

_COMPONENTS = (
    *("gateway-api", "cert-manager", "istio", "kserve", "kuadrant-operator", "openshift-api", "prometheus-operator"),
    *(
        "olm",
        "opendatahub-3.5",
        "sail-operator",
        "nvidia-gpu-operator",
        "nfd-openshift",
        "cert-manager-operator-openshift",
    ),
)


@dataclass(frozen=True)
class Server:
    """Judges objects as the API server does: schemas, rules in CEL, admission, and no field that it does not know."""

    client: httpx.Client

    def refusal(self, object: Object) -> str:
        """Why it does not take it; "" if it would."""
        answer = self.apply(object, dryRun="All")
        if answer.is_success and not answer.headers.get("warning"):
            return ""
        said = answer.headers.get("warning") or text(answer.json(), "message")
        return f"{object['kind']} {namespace(object)}/{name(object)}: {said}"

    def apply(self, object: Object, **options: str) -> httpx.Response:
        return self.client.patch(
            f"{_collection(object)}/{name(object)}",
            json=object,
            headers={"Content-Type": "application/apply-patch+yaml"},
            params={"fieldValidation": "Strict", "fieldManager": "maas", **options},
        )


def _collection(object: Object) -> str:
    kind, version = kinds.of(object), str(object["apiVersion"])
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{namespace(object)}" if kind.namespaced else ""
    return f"{base}{where}/{kind.plural}"


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with (
        running(definitions=[stored(crd) for crd in of_components(*_COMPONENTS)]) as cluster,
        cluster.client() as client,
    ):
        found = Server(client)
        restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
        for each in (made("v1", "Namespace", "llm", labels=restricted), made("v1", "Namespace", "kuadrant-system")):
            found.apply(each).raise_for_status()
        yield found
