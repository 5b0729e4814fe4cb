"""Names that both sides of the gateway must agree on: Envoy's configuration here, and the admission endpoint.

Every header with the prefix `x-maas-` belongs to the platform. What a client sends under it is dropped before
anything looks at it, and a model never sees it. So a filter may set one for admission to read, and admission
one for a route to match, without anybody being able to forge either.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

# clusters that never change; a model's cluster must be called something else
ADMISSION = "admission"
CONTROL = "control"
ADMIN = "envoy_admin"
RESERVED_CLUSTERS = frozenset({ADMISSION, CONTROL, ADMIN})

# what the gateway found in the body, for admission. Absent when the body did not have it
JSON_MARK = "x-maas-json"  # "1": the body was a JSON object. "duplicate" or "name": it could be read in two ways
BODY_BYTES = "x-maas-body-bytes"
BAD_FIELD = "x-maas-bad-field"  # "1": one of these fields has a value that no header can hold
MODEL = "x-maas-model"
MODEL_AT = "x-maas-model-at"  # "first-last": the bytes of the body that are its value
STREAM_OPTIONS = "x-maas-stream-options"
STREAM_OPTIONS_AT = "x-maas-stream-options-at"
BODY_FIELDS: Mapping[str, str] = {
    MODEL: "model",
    "x-maas-stream": "stream",
    "x-maas-background": "background",
    "x-maas-max-tokens": "max_tokens",
    "x-maas-max-completion-tokens": "max_completion_tokens",
    "x-maas-max-output-tokens": "max_output_tokens",
    "x-maas-n-predict": "n_predict",
    "x-maas-n": "n",
    "x-maas-best-of": "best_of",
    "x-maas-previous-response-id": "previous_response_id",
    "x-maas-conversation": "conversation",
    STREAM_OPTIONS: "stream_options",
}
OPTION_FIELDS: Mapping[str, str] = {"x-maas-include-usage": "include_usage"}  # of stream_options

# what admission decided, for the routes
ROUTE = "x-maas-route"
TO_DISCOVERY = "discovery"
TO_MODEL = "model"
TO_LOADING = "loading"  # where a model that can't answer yet is told of
CLUSTER = "x-maas-cluster"
FORCE_USAGE = "x-maas-force-usage"  # "1": make a stream report its usage
KNOWN = "x-maas-known"  # "1": the key is good, so a large body may be read
WRITE_MODEL = "x-maas-write-model"  # the name to write into a body that names no model
WAIT = "x-maas-wait"  # seconds that the request may wait for its model to load
CONNECTION = "x-maas-connection"  # "close": the model's server is asked to close the connection after its answer
STRIP_USAGE = "x-maas-strip-usage"  # "1": and keep that report from a client that did not ask for it

OWN_HEADERS = (
    *BODY_FIELDS,
    *OPTION_FIELDS,
    MODEL_AT,
    STREAM_OPTIONS_AT,
    JSON_MARK,
    BODY_BYTES,
    KNOWN,
    ROUTE,
    CLUSTER,
    FORCE_USAGE,
    WRITE_MODEL,
    STRIP_USAGE,
    WAIT,
)

# what a model reported as used, for the access log: a namespace of metadata, and keys in it
METADATA = "maas"
PROMPT = "prompt"
COMPLETION = "completion"
TOTAL = "total"

BODY_LIMIT = 32 * 1024 * 1024  # bytes of a request's body
SMALL_BODY = 64 * 1024  # bytes that are read before anybody knows whose they are
ANSWER_LIMIT = 128 * 1024 * 1024  # bytes of an answer that is not streamed: 2048 embeddings of 3072 numbers each
TYPE = "type.googleapis.com/"


def typed(name: str, message: str, **fields: Any) -> Json:
    """An extension: its name in the chain, and its typed configuration."""
    return {"name": name, "typed_config": {"@type": f"{TYPE}envoy.{message}", **fields}}


def config(message: str, **fields: Any) -> Json:
    return {"@type": f"{TYPE}envoy.{message}", **fields}
