"""What the compiled policies say of a request, by a real CEL library and a real evaluator of Rego.

The walk is Kuadrant's: a request that no route takes is asked nothing. Authorino looks the key up, judges it and hands
its identity on; then the limits whose conditions hold are asked, requests first; what the answer cost is reported
afterwards.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import regopy  # type: ignore[import-untyped]
from cel_expr_python import cel  # type: ignore[import-untyped]

from maas.cluster.objects import Object, at, items, mapping, text
from maas.cluster.resources import policies
from maas.cluster.resources.routes import http_routes
from maas.cluster.stack.rules import Rate
from maas.cluster.wanted import Wanted
from tests.kubernetes.policies.limitador import Counted, Limitador

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """headers: in lower case."""

    headers: Mapping[str, str]
    host: str
    path: str = "/v1/chat/completions"
    method: str = "POST"


@dataclass(frozen=True)
class Said:
    """status: 200, or the refusal's. code: of its body, in OpenAI's shape."""

    status: int
    code: str = ""
    identity: Mapping[str, Any] = field(default_factory=dict)


class Compiled:
    """The policies of a platform, with the Secrets of its keys beside Authorino."""

    def __init__(self, wanted: Wanted) -> None:
        made = {text(each, "kind"): each for each in policies.objects(wanted)}
        self.auth, self.tokens = made["AuthPolicy"], made["TokenRateLimitPolicy"]
        self.requests = made.get("RateLimitPolicy")
        self.routes = [route for route in http_routes(wanted) if text(route, "metadata", "name") != "maas-to-https"]
        self.limitador = Limitador()
        self.secrets: list[Object] = []

    def ask(self, asked: Asked, now: float, tokens: int = 0) -> Said:
        """tokens: what the answer will say it used, if there is one."""
        if self.route(asked) is None:
            return Said(404)
        said = self.admitted(asked)
        return self.limited(said, asked, now, tokens) if said.status == 200 else said

    def limited(self, said: Said, asked: Asked, now: float, tokens: int) -> Said:
        route = self.route(asked)
        assert route is not None
        by_requests = list(self._matching(self.requests, said.identity, asked, route)) if self.requests else []
        by_tokens = list(self._matching(self.tokens, said.identity, asked, route))
        if not self.limitador.should(by_requests, now):
            return Said(429, "requests", said.identity)
        if not self.limitador.check(by_tokens, now):
            return Said(429, "tokens", said.identity)
        self.limitador.report(by_tokens, now, tokens)
        return said

    # --- who is asking

    def admitted(self, asked: Asked) -> Said:
        rules = mapping(self.auth, "spec", "rules")
        secret = self._secret(mapping(rules, "authentication"), asked)
        if secret is None:
            return _refused(mapping(rules, "response", "unauthenticated"), {})
        judged = _judged(text(rules, "authorization", "judged", "opa", "rego"), _input(secret, asked))
        known = {"auth": {"identity": secret, "authorization": {"judged": judged}}}
        assert at(rules, "authorization", "judged", "opa", "allValues") is True
        assert at(rules, "authorization", "allowed", "priority") == 1, "it is to be judged after what it looks at"
        for pattern in items(rules, "authorization", "allowed", "patternMatching", "patterns"):
            assert pattern["operator"] == "eq"
            if _selected(known, pattern["selector"]) != pattern["value"]:
                return _refused(mapping(rules, "response", "unauthorized"), known)
        properties = mapping(rules, "response", "success", "filters", "identity", "json", "properties")
        return Said(200, identity={name: _selected(known, each["selector"]) for name, each in properties.items()})

    def _secret(self, ways: Mapping[str, Any], asked: Asked) -> Object | None:
        for way in ways.values():
            assert not at(way, "apiKey", "allNamespaces"), "anybody could make a key of any tier for himself"
            chosen = mapping(way, "apiKey", "selector", "matchLabels")
            value = _presented(way["credentials"], asked.headers)
            for secret in self.secrets:
                labels = mapping(secret, "metadata", "labels")
                watched = labels.get("authorino.kuadrant.io/managed-by") == "authorino"
                held = base64.b64decode(text(secret, "data", "api_key")).decode()
                if value and watched and chosen.items() <= labels.items() and held == value:
                    return secret
        return None

    # --- how much

    def route(self, asked: Asked) -> str | None:
        """The HTTPRoute that leads the request anywhere, as "namespace/name"."""
        host = asked.host.lower().partition(":")[0]
        path = asked.path.partition("?")[0]
        for route in self.routes:
            matches = [match for rule in items(route, "spec", "rules") for match in items(rule, "matches")]
            if host in route["spec"]["hostnames"] and any(_leads(match["path"], path) for match in matches):
                return f"{route['metadata']['namespace']}/{route['metadata']['name']}"
        return None

    def _matching(
        self, policy: Object, identity: Json | Mapping[str, Any], asked: Asked, route: str
    ) -> Iterator[Counted]:
        known = {"auth": {"identity": dict(identity)}, "request": {"method": asked.method, "host": asked.host}}
        for name, limit in mapping(policy, "spec", "limits").items():
            if all(_cel(when["predicate"], known) is True for when in items(limit, "when")):
                users = [str(_cel(each["expression"], known)) for each in items(limit, "counters")]
                for rate in items(limit, "rates"):
                    read = Rate(rate["limit"], rate["window"])
                    yield Counted(route, text(policy, "kind"), name, "/".join(users), rate["limit"], read.seconds)


def _leads(match: Mapping[str, str], path: str) -> bool:
    if match["type"] == "Exact":
        return path == match["value"]
    return path == match["value"] or path.startswith(match["value"].rstrip("/") + "/")


def _presented(credentials: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Letter by letter, as Authorino does."""
    if header := at(credentials, "customHeader", "name"):
        return headers.get(str(header).lower(), "")
    prefix = f"{at(credentials, 'authorizationHeader', 'prefix')} "
    sent = headers.get("authorization", "")
    return sent.removeprefix(prefix) if sent.startswith(prefix) else ""


def _input(secret: Object, asked: Asked) -> Json:
    http = {"host": asked.host, "path": asked.path, "method": asked.method, "headers": dict(asked.headers)}
    return {"auth": {"identity": secret}, "context": {"request": {"http": http}}}


def _judged(rego: str, given: Json) -> Json:
    """Every value of the rules, as Authorino's `allValues` has them; null where one is not defined.

    Before, it cleans the text up as Authorino does. The evaluator here is not OPA: it knows no escapes by number.
    """
    cleaned = re.sub(r"(\s)*package.*[;\n]+", "", rego)
    known = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), cleaned)
    evaluator = regopy.Interpreter()
    evaluator.add_module("judged.rego", f"package authz\ndefault allow = false\n{known}")
    evaluator.set_input(given)
    names = ("allow", "why", "body", "model")
    query = "; ".join(f'{name} = object.get(data.authz, "{name}", null)' for name in names)
    found: Json = json.loads(str(evaluator.query(query)))["bindings"]
    return found


def _selected(known: Json, selector: str) -> Any:
    """A path of GJSON's, whose dots may be escaped."""
    return at(known, *(step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", selector)))


def _refused(answer: Mapping[str, Any], known: Json) -> Said:
    assert at(answer, "headers", "content-type", "value") == "application/json"
    body = at(answer, "body", "value") or _selected(known, at(answer, "body", "selector"))
    error = json.loads(body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return Said(answer["code"], error["code"])


@cache
def _program(expression: str) -> Any:
    return cel.NewEnv(variables={"auth": cel.Type.DYN, "request": cel.Type.DYN}).compile(expression)


def _cel(expression: str, known: Json) -> Any:
    return _program(expression).eval(data=known).value()
