"""Whatever is wrong with maas.yaml is said at once, with the line and what to write instead."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.domain.errors import InvalidPlatform
from maas.domain.platform_file import load

BAD = """\
gateway: {bind: 0.0.0.0, http_port: 8080, https_port: 8080, certificate: x}
models:
  simulator:
    runtime: ollama
    contxt_length: 1
  v1: {runtime: simulator}
  Qwen/Foo: {runtime: external, price: {input: 1.1234567}}
  none:
tiers:
  free:
    limits:
      - {requests: 5, per: 2 minutes}
      - {tokens: 5.5}
    models: [simulater]
  no:
    limits: [{requests: 3, per: 60s}, {requests: 4, per: 1m}, {tokens: 1, money: 1, per: 1s}]
usage: 400
"""
PROBLEMS = """\
line 1, gateway.bind: 0.0.0.0 opens the gateway to other machines; write remote: true too if that is meant (models \
are then served over TLS only), or bind: 127.0.0.1
line 1, gateway.certificate: private_key is missing; write both, or neither for a certificate of the platform's own CA
line 1, gateway.https_port: 8080 is both the http_port and the https_port; write different ports
line 4, models.simulator.runtime: 'ollama' is not known; write simulator, llama-cpp, vllm or external
line 5, models.simulator.contxt_length: is not known here; did you mean 'context_length'?
line 6, models.v1: 'v1' is a path of the gateway's own; call the model for example v1-model
line 7, models.Qwen/Foo: 'Qwen/Foo' is no name: up to 63 lower-case letters, digits, '.', '_' and '-', with a letter \
or a digit at both ends; write for example qwen-foo
line 7, models.Qwen/Foo.price.input: '1.1234567' has more than 6 decimals; write such as 1.123457
line 8, models.none: runtime is missing; write for example runtime: simulator
line 12, tiers.free.limits[0].per: '2 minutes' is no duration; write a number and a unit, for example 30s, 2m, 24h or \
30d
line 13, tiers.free.limits[1]: per is missing; write for example per: 2m
line 13, tiers.free.limits[1].tokens: '5.5' must be a whole number from 0, for example 100
line 14, tiers.free.models[0]: 'simulater' is no model of this platform; write one of its models (Qwen/Foo, none, \
simulator, v1)
line 16, tiers.no.limits[2]: counts money, tokens; write one of requests, tokens and money, for example {requests: 5, \
per: 2m}
line 17, usage: must be a section of entries, one a line: name: value
"""


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidPlatform) as caught:
        load(text, "my.yaml")
    assert str(caught.value) == "\n".join(caught.value.problems)
    return [problem.removeprefix("my.yaml ") for problem in caught.value.problems]


def test_every_problem_is_found_in_the_order_of_the_lines() -> None:
    assert sorted(problems(BAD)) == sorted(PROBLEMS.splitlines())
    found = [int(problem.split()[1].rstrip(",:")) for problem in problems(BAD)]
    assert found == sorted(found)


def one(text: str) -> str:
    (problem,) = problems(text)
    return problem


def limit(text: str) -> str:
    return f"tiers: {{free: {{limits: [{text}]}}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("- a\n- b\n", "sections gateway, models, tiers, usage"),
        ("models: {}\nmodels: {}\n", "line 2: 'models' is written twice, first on line 1"),
        ("models: {a: {runtime: simulator}, a: {runtime: simulator}}", "'a' is written twice"),
        ("models: &a {}\n", "the anchor &a is not allowed"),
        ("*a : 1", "the alias *a is not allowed"),
        ("usage: !!python/object:os.system {days: 3}\n", "line 1: the tag"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document begins"),
        ("? [a]\n: b\n", "a name must be a plain word"),
        ("models:\n\tsimulator: {}\n", "indent with spaces, not tabs"),
        ("models: a: b\n", "quote a text that has a colon in it"),
        ("models: \x07\n", "#x0007"),
        ("models: \ud800\n", "line 1: holds half a character"),
        ("models: {a: [}\n", "is no YAML"),
        ("#" * 1_100_000, "1100000 bytes"),
        ("[" * 1_000_000, "nested more than 12 levels"),
        ("a: " * 100, "is no YAML"),
        ("{a: " * 100, "nested more than 12 levels"),
        (limit("{requests: 1, per: 500ms}"), "whole seconds"),
        (limit("{requests: 1, per: 0s}"), "at least 1s"),
        (limit("{requests: 1, per: 367d}"), "longer than 366d"),
        (limit("{requests: 1, per: 9" + "9" * 400 + "d}"), "longer than 366d"),
        (limit("{requests: -1, per: 1s}"), "whole number from 0"),
        (limit("{requests: 1" + "0" * 5000 + ", per: 1s}"), "whole number from 0"),
        (limit("{money: -1, per: 1s}"), "an amount from 0"),
        (limit("{money: NaN, per: 1s}"), "an amount from 0"),
        (limit("{money: 1e400, per: 1s}"), "an amount from 0"),
        (limit("{requests: 3, per: 60s}, {requests: 4, per: 1m}"), "limits requests per 1m, as limits[0] does"),
        (limit("{per: 1m}"), "counts nothing"),
        ("tiers: {free: {limits: {requests: 1}}}", "must be a list"),
        ("tiers: {free: {models: [~]}}", "tiers.free.models[0]: must be a name"),
        ("models: {a: {runtime: external}}", "url is missing"),
        ("models: {a: {runtime: external, url: 'http://u:p@h'}}", "is no address of a server"),
        ("models: {a: {runtime: external, url: 'http://h:99999'}}", "is no address of a server"),
        ("models: {a: {runtime: external, url: 'http://h', options: {a: b}}}", "takes no options"),
        ("models: {a: {runtime: simulator, url: 'http://h'}}", "only an external model has a url"),
        ("models: {a: {runtime: simulator, options: {--mode: echo}}}", "without dashes"),
        ("models: {a: {runtime: simulator, options: {max_model_len: '1'}}}", "write it with dashes: max-model-len"),
        ("models: {a: {runtime: simulator, options: {mode: [echo]}}}", "one printable text"),
        ("models: {-a: {runtime: simulator}}", "write for example a"),
        (f"models: {{{'a' * 64}: {{runtime: simulator}}}}", "is no name"),
        ("gateway: {http_port: 0}", "a port from 1 to 65535"),
        ("gateway: {http_port: 8443}", "both the http_port and the https_port"),
        ("gateway: {bind: localhost}", "no IP address"),
        ("gateway: {bind: '::'}", "opens the gateway to other machines"),
        ("gateway: {private_key: k}", "certificate is missing"),
        ("gateway: {remote: maybe}", "true or false"),
        ("gateway: {hosts: [https://a]}", "is no host name"),
        ("usage: {days: 0}", "number of days"),
        ("usge: {days: 1}", "did you mean 'usage'?"),
        ("models: {a: {runtime: external, url: http://x, endpoints: [{url: http://y}]}}", "either one url or a list"),
        ("models: {a: {runtime: external, endpoints: [{url: http://y, weight: 0}]}}", "a whole number from 1 to 1000"),
        ("models: {a: {runtime: external, url: http://x, api_key_file: sk-secret}}", "never the key"),
        ("models: {a: {runtime: simulator, api_key_file: /k}}", "belongs beside a url"),
        ("models: {a: {runtime: simulator, served_name: b}}", "only an external model has a served_name"),
        ("models: {a: {runtime: llama-cpp}}", "weights is missing"),
        ("models: {a: {runtime: simulator, weights: /w}}", "only llama-cpp and vllm serve weights"),
        ("models: {a: {runtime: external, url: http://x, wait: 5s}}", "nobody knows when"),
        ("models: {a: {runtime: simulator, wait: 11m}}", "from 1s to 9m"),
        ("models: {a: {runtime: simulator, aliases: [b, b]}}", "'b' is written twice"),
        ("models: {a: {runtime: simulator, aliases: [a]}}", "'a' is a model already"),
        (
            "models: {a: {runtime: simulator, aliases: [c]}, b: {runtime: simulator, aliases: [c]}}",
            "'c' is an alias of 'a' already",
        ),
    ],
)
def test_a_mistake_is_named(text: str, expected: str) -> None:
    assert expected in one(text)


def test_names_stay_what_was_written() -> None:
    """YAML 1.1 would make of these a boolean, a number and a time."""
    assert set(load("tiers: {no: , 12: , 0x1f: {}}").tiers) == {"no", "12", "0x1f"}


def test_an_empty_section_is_as_good_as_none() -> None:
    assert load("models:\ntiers:\ngateway:\nusage: {days: }\n") == load("models: {}")


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("{}[]:,-#'\"&*!|>?%@` \n\tab1"))
def test_no_text_makes_it_stumble(text: str) -> None:
    try:
        load(text)
    except InvalidPlatform as error:
        assert error.problems


def test_a_key_that_was_written_in_place_of_its_file_is_not_repeated() -> None:
    assert "sk-secret" not in one("models: {a: {runtime: external, url: http://x, api_key_file: sk-secret}}")
