"""What the simulator refuses, in the words of the APIs it imitates.

ApiError
├── bad_request      400, names the field
├── not_found        404, unknown model or path
├── context_length   400, code context_length_exceeded
└── queue_full       429, as llm-d-inference-sim says it

One class with named makers rather than a class each: nobody catches them apart, and all of them end in one
place, `ApiError.body`.
The body has OpenAI's shape.
For the Anthropic dialect it carries `"type": "error"` on top as well, so both official clients read it.
"""

from typing import Any

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def type_of(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")


class ApiError(Exception):
    """An answer that is an error: `status` and what its body says."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "",
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind or type_of(status)
        self.code = code
        self.param = param
        self.headers = headers

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"type": "error", "error": error}


def bad_request(message: str, param: str | None = None) -> ApiError:
    return ApiError(400, message, param=param)


def model_not_found(model: str) -> ApiError:
    return ApiError(404, f"The model `{model}` does not exist.", code="model_not_found", param="model")


def context_length(limit: int, prompt: int, completion: int, param: str) -> ApiError:
    message = (
        f"This model's maximum context length is {limit} tokens. However, you requested {prompt + completion}"
        f" tokens ({prompt} in the {param}, {completion} in the completion)."
        f" Please reduce the length of the {param} or completion."
    )
    return ApiError(400, message, code="context_length_exceeded", param=param)


def queue_full() -> ApiError:
    message = "Failed to enqueue request, waiting requests queue is full"
    return ApiError(429, message, code="queue_full")


def stopping() -> ApiError:
    return ApiError(503, "The model was stopped.", code="stopping")


def not_ready() -> ApiError:
    return ApiError(503, "The model is still starting.", code="not_ready")
