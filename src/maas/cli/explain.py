"""maas explain: why a request was let in or refused, and what became of it; or what a check is for."""

import re
from typing import Annotated, Any

import typer

from maas.cli import client
from maas.cli.details import show_details
from maas.cli.frame import noun
from maas.cli.output import Shape, ShapeOption, show_json
from maas.cli.tiers import left_of
from maas.domain.errors import InvalidInput

app = noun("Say why a request was let in or refused, or what a check is for.")

_CODE = re.compile(r"maas(-\w{0,4})?", re.IGNORECASE)  # also a mistyped one; a request's id is longer


@app.command()
def explain(
    what: Annotated[
        str | None,
        typer.Argument(metavar="REQUEST", help="The x-request-id of its answer, or a code such as MAAS-101."),
    ] = None,
    every: Annotated[bool, typer.Option("--list", help="List the codes of all checks.")] = False,
    output: ShapeOption = Shape.table,
) -> None:
    """Say why a request was let in or refused, and what became of it.

    A code such as MAAS-101 is a check of preflight, validate or doctor: what it looks at, why it matters, and how to
    mend what it finds.

    Example: maas explain 0b5d6a3c-6c8e-4a0e-9d7e-2f3f6f0c5a11
    """
    if every or (what and _CODE.fullmatch(what)):
        from maas.cli import explain_check  # which imports every check: not for a request

        explain_check.explain(None if every or not what else what.upper(), output)
    elif what:
        _explain_request(what, output)
    else:
        raise InvalidInput("say which: the x-request-id of an answer, a code such as MAAS-101, or --list")


def _explain_request(request_id: str, output: Shape) -> None:
    request = client.get("v1", "requests", request_id)
    if output is Shape.json:
        show_json(request)
    else:
        _print(request)


def _print(request: dict[str, Any]) -> None:
    because = f" ({request['why']})" if request["why"] else ""
    status = f" with {request['status']}" if request["status"] else ""
    ended = f", answered{status}" if request["verdict"] == "admitted" and status else status
    print(f"{request['request_id']} was {request['verdict']}{ended}{because}.")
    if request["message"]:
        print(request["message"])
    print()
    show_details(
        {
            "at": request["at"],
            "key": _key(request),
            **{name: request[name] for name in ("user", "tier", "model", "route", "cluster", "outcome")},
            "tokens": _tokens(request),
            "cost": request["cost"],
            "time": _time(request),
            "left then": list(map(left_of, request["limits"])),
        }
    )


def _key(request: dict[str, Any]) -> str | None:
    known = [part for part in (request["key_prefix"], request["key_id"]) if part]
    return " ".join(known) or None


def _tokens(request: dict[str, Any]) -> str | None:
    if request["prompt_tokens"] is None:
        return None
    return f"{request['prompt_tokens']} prompt, {request['completion_tokens']} completion ({request['source']})"


def _time(request: dict[str, Any]) -> str | None:
    if request["duration_ms"] is None:
        return None
    first = request["first_byte_ms"]
    return f"{request['duration_ms']} ms" + (f", the first byte after {first} ms" if first is not None else "")
