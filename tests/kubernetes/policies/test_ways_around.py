"""What somebody who has a key, or chooses a name, may try in order to get more than he was given."""

import pytest

from maas.cluster.objects import items, mapping, text
from maas.cluster.resources import policies
from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidPlatform
from tests.kubernetes.policies.evaluating import Asked, Compiled, Said
from tests.kubernetes.policies.platforms import MODELS, key, wanted

VALUE = "sk-maas-a-value"
SENT = {"authorization": f"Bearer {VALUE}"}
OWN, SHARED = "simulator.maas.local", "maas.maas.local"
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def described() -> Wanted:
    return wanted("tiers: {open: {}}")


def asked(described: Wanted, path: str, method: str, host: str = OWN, tier: str = "open") -> Said:
    compiled = Compiled(described)
    compiled.secrets = [key(VALUE, tier)]
    return compiled.admitted(Asked(SENT, host, path, method))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/..%2Fmessages",
        "/v1/models/..%2f..%2fadmin/config",
        "/v1/models/%2e%2e/chat/completions",
        "/v1/models/../chat/completions",
        "/v1/models/simulator/../../messages",
        "/v1/models/simulator%2f..%2f..%2fsleep",
        "/v1/models/",
        "/v1/models//",
        "/v1/models/nobody",
        "/v1/chat/completions/",
        "/v1/chat/completions;a=b",
        "/v1//chat/completions",
        "/V1/chat/completions",
        "/v1/chat%2fcompletions",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_path_that_a_server_could_read_as_another(described: Wanted, path: str, method: str) -> None:
    """llm-d's simulator decodes paths and then resolves "..": so it would be put to sleep, or answer uncounted."""
    assert asked(described, path, method) == Said(403, "unknown_url")
    assert asked(described, f"/simulator{path}", method, SHARED) == Said(403, "unknown_url")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get", "PUT", "DELETE", "post"])
def test_what_costs_is_asked_for_by_post(described: Wanted, method: str) -> None:
    """The limits count no GET."""
    assert asked(described, CHAT, method) == Said(403, "unknown_url")
    assert asked(described, f"/simulator{CHAT}", method, SHARED) == Said(403, "unknown_url")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/simulator", "/v1/models/another?x=1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_catalogue_is_only_read(described: Wanted, path: str, method: str) -> None:
    assert asked(described, path, method).status == 200
    assert asked(described, path, "POST") == Said(403, "unknown_url")


def test_no_tier_takes_the_place_of_the_limit_for_unknown_ones() -> None:
    """Whatever the limit of unknown tiers is called: a tier of that name would have lost its own."""
    for made in policies.objects(wanted("tiers: {open: {}}"))[1:]:
        called = set(mapping(made, "spec", "limits")) - {"open"}
        assert called and not any(_can_be_a_tier(each) for each in called)


def _can_be_a_tier(name: str) -> bool:
    try:
        wanted(f"tiers: {{{name!r}: {{}}}}")
    except InvalidPlatform:
        return False
    return True


def test_a_name_does_not_take_the_policy_apart() -> None:
    """Authorino deletes what begins like the name of a package from the rules, to the line's end."""
    models = f"{MODELS}  package: {{runtime: simulator, aliases: [my-package.v1]}}\n"
    described = wanted("tiers: {packages: {models: [package]}, open: {}}", models=models)
    assert asked(described, f"/my-package.v1{CHAT}", "POST", SHARED, "packages").identity["model"] == "package"
    assert asked(described, CHAT, "POST", OWN, "packages") == Said(403, "model_not_allowed")
    assert asked(described, CHAT, "POST", OWN, "open").status == 200
    (auth,) = (each for each in policies.objects(described) if each["kind"] == "AuthPolicy")
    assert "package" not in text(auth, "spec", "rules", "authorization", "judged", "opa", "rego")


@pytest.mark.parametrize("user", ['a"b', "a\\", "{auth}", "${a}", '"}]}', "é😀\u2028", "null", "a,b"])
def test_whatever_a_user_is_called_it_is_counted_as_that(described: Wanted, user: str) -> None:
    compiled = Compiled(described)
    compiled.secrets = [key(VALUE, "open", user)]
    said = compiled.admitted(Asked(SENT, OWN))
    assert (said.status, said.identity["userid"], said.identity["tier"]) == (200, user, "open")


@pytest.mark.parametrize("value", ["", " "])
def test_nobody_is_let_in_by_an_empty_key(described: Wanted, value: str) -> None:
    compiled = Compiled(described)
    compiled.secrets = [key(VALUE, "open")]
    for sent in ({"authorization": f"Bearer {value}"}, {"x-api-key": value}, {"authorization": value}):
        assert compiled.admitted(Asked(sent, OWN)).status == 401


def test_every_way_in_reads_keys_beside_authorino_only(described: Wanted) -> None:
    (auth,) = (each for each in policies.objects(described) if each["kind"] == "AuthPolicy")
    ways = mapping(auth, "spec", "rules", "authentication")
    assert all(not mapping(each, "apiKey").get("allNamespaces") and "anonymous" not in each for each in ways.values())
    assert not items(auth, "spec", "when") and "when" not in mapping(auth, "spec", "rules")
