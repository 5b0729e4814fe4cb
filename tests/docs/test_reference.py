"""What the reference lists is what there is: errors, endpoints, metrics, fields, files."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from maas.api import codes, errors
from maas.api.app import create_app
from maas.domain import platform_file
from maas.domain.admission import STATUS_OF
from maas.domain.platform import Gateway
from maas.domain.platform_file import schema
from maas.domain.usage import Outcome, UsageRecord
from maas.embedded.envoy.listeners import listeners
from maas.embedded.home import Home
from maas.embedded.metrics import Metrics
from tests.api.fake import FakeControl
from tests.docs.pages import ROOT, page, pages

_YAML = [
    pytest.param(block.text, id=f"{one.path.name}-{number}")
    for one in pages()
    for number, block in enumerate(one.blocks)
    if block.language == "yaml"
]
_STATUS = re.compile(r"(\d{3}|5xx)")
_CODE = re.compile(r"[a-z]+_[a-z_]+|conflict|unavailable")
_PATH = re.compile(r"(GET|POST|DELETE) (\S+)")


@pytest.mark.parametrize("text", _YAML)
def test_snippets_of_maas_yaml_are_right(text: str) -> None:
    first = text.partition("\n")[0]
    if first.startswith("apiVersion: "):  # for kubectl
        assert yaml.safe_load(text).keys() >= {"kind", "metadata"}
        return
    assert first in ("# maas.yaml", "# prometheus.yml")
    if first == "# maas.yaml":
        platform_file.load(text)


def test_the_gateways_errors_are_all_there() -> None:
    listed = {(row[1], row[0]) for row in _section_rows("## Gateway") if _STATUS.fullmatch(row[0])}
    refusals = {(str(why), str(status)) for why, status in STATUS_OF.items()}
    replies = {(code, _status(code, status)) for code, status in _replies()}
    assert listed == refusals | replies


def _status(code: str, status: int | None) -> str:
    """The last two mappers speak for whatever status it is."""
    return {"bad_request": "400", "gateway_error": "5xx"}.get(code, str(status))


def _replies() -> Iterator[tuple[str, int | None]]:
    for remote in (False, True):
        yield from _coded(listeners(Home(Path("/home")), Gateway(remote=remote)))


def _coded(part: Any, status: int | None = None) -> Iterator[tuple[str, int | None]]:
    """Every error body in Envoy's configuration, with the status next to it."""
    if isinstance(part, dict):
        status = part.get("status_code", part.get("status", status))
        if isinstance(part.get("code"), str) and "message" in part:
            yield part["code"], status
        for value in part.values():
            yield from _coded(value, status)
    elif isinstance(part, list):
        for value in part:
            yield from _coded(value, status)
    elif isinstance(part, str) and part.startswith('{"error"'):
        yield from _coded(json.loads(part), status)


def test_the_management_api_is_all_there() -> None:
    listed = {match.groups() for row in _section_rows("## Management API") if (match := _PATH.match(_bare(row[0])))}
    document = create_app(FakeControl()).openapi()
    assert listed == {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


def test_the_management_apis_errors_are_all_there() -> None:
    rows = [row for row in _section_rows("## Management API") if _STATUS.fullmatch(row[0])]
    listed = {
        (code, int(row[0])) for row in rows for code in re.findall(r"[a-z]+_[a-z_]+|conflict|unavailable", row[1])
    }
    own = {(code.code, code.status) for code in codes.CODES.values()}
    assert listed == own | {(code, status) for status, code in errors._HTTP.items()}


def _section_rows(heading: str) -> list[list[str]]:
    rest = page("docs/reference/http.md").prose.partition(f"\n{heading}\n")[2]
    lines = rest.partition("\n## ")[0].splitlines()
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]


def _bare(cell: str) -> str:
    return cell.replace("`", "")


def test_the_metrics_are_all_there() -> None:
    metrics = Metrics()
    metrics.verdict("u", "t", "m", True)
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", metrics.text().decode(), re.MULTILINE))
    listed = {row[0]: row for row in page("docs/reference/metrics.md").rows() if len(row) == 4 and row[0] in kinds}
    assert listed.keys() == {name for name in kinds if not name.endswith("_created")}
    assert all(outcome in listed["maas_requests_total"][3] for outcome in Outcome)


def test_the_fields_of_maas_yaml_are_all_there() -> None:
    listed = {row[0]: row[1] for row in page("docs/reference/maas-yaml.md").rows() if "." in row[0]}
    assert listed.keys() == set(_fields("gateway", schema.Gateway)) | set(_fields("models.NAME", schema.Model)) | set(
        _fields("tiers.NAME", schema.Tier)
    ) | set(_fields("usage", schema.Usage))
    for name, field in schema.Gateway.model_fields.items():
        shown = {None: "", (): "[]", False: "false"}.get(field.default, str(field.default))
        assert listed[f"gateway.{name}"] == shown
    assert listed["usage.days"] == str(schema.Usage().days)


def _fields(place: str, part: type[BaseModel]) -> Iterator[str]:
    for name in part.model_fields:
        if name == "price":
            yield from _fields(f"{place}.price", schema.Price)
            continue
        yield f"{place}.{name}"
        if name == "limits":
            yield from _fields(f"{place}.limits[]", schema.Limit)
        if name == "endpoints":
            yield from _fields(f"{place}.endpoints[]", schema.Endpoint)


def test_the_files_are_all_there() -> None:
    home, text = Home(Path("/h")), page("docs/reference/files.md").text
    properties = [name for name, value in vars(Home).items() if isinstance(value, property)]
    files = [path for name in properties if (path := getattr(home, name)).suffix or name == "pepper"]
    assert len(files) > 8
    for path in files:
        assert f"`{path.relative_to(home.root)}`" in text


def test_a_record_is_shown_with_all_its_columns() -> None:
    assert ",".join(field.name for field in fields(UsageRecord)) in page("docs/how-to/usage.md").text


def test_the_changelog_knows_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"## [{version[1]}]" in page("CHANGELOG.md").text
