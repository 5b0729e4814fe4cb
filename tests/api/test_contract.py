"""The API keeps to its own document, whatever is sent: schemathesis against the control plane in memory.

What the document can't say (a tier must exist, maas.yaml must make sense) is refused with 400, so the check that all
data of the right form is accepted is left out. So is that of the Allow header: Starlette's names only the methods of
the first route that a path has.
Fixed seeds and few examples: this is the check that runs every time. `st run` against a platform that is up digs
deeper.
"""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import allow_header_conformance, positive_data_acceptance
from starlette.testclient import TestClient

from maas.api.app import create_app
from tests.api.fake import FakeControl

LEFT_OUT = [positive_data_acceptance, allow_header_conformance]
schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(FakeControl()))


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_every_answer_is_a_documented_one(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(excluded_checks=LEFT_OUT)


def test_the_document_names_all_errors(api: TestClient) -> None:
    document = api.get("/openapi.json").json()
    assert document["info"]["title"] == "MaaS management API"
    statuses = document["paths"]["/v1/api-keys"]["post"]["responses"].keys()
    assert statuses == {"201", "400", "409", "413", "500", "503"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
