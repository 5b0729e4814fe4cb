"""A certificate that maas.yaml names: the gateway shows it, and its key is in a Secret and nowhere else."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from maas.cli.installing import plan_text, wanting
from maas.cluster import certificate_files, rendering
from maas.cluster.api import Api
from maas.cluster.applying import differing
from maas.cluster.applying.rehearsing import Outcome, Rehearsed
from maas.cluster.control import changing
from maas.cluster.document import Document
from maas.cluster.facts.model import Facts
from maas.cluster.facts.redaction import digest
from maas.cluster.failures import Missing
from maas.cluster.kinds import OUR_SECRET
from maas.cluster.objects import Object, items, mapping, text
from maas.cluster.plan import planning
from maas.cluster.plan.comparing import marked
from maas.cluster.plan.model import Apply, Delete, Plan
from maas.cluster.resources import certificates, gateway, own_certificate
from maas.cluster.wanted import Target, Wanted
from maas.domain.errors import InvalidInput, InvalidPlatform
from tests.kubernetes import offline
from tests.kubernetes.resources.wishes import site, wanted

_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def pair(*hosts: str, days: int = 90, key: ec.EllipticCurvePrivateKey | None = None) -> tuple[str, str]:
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key((key or own).public_key())
    builder = builder.serial_number(1).not_valid_before(_NOW - timedelta(days=100))
    builder = builder.not_valid_after(_NOW + timedelta(days=days))
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts]), False)
    return builder.sign(own, hashes.SHA256()).public_bytes(Encoding.PEM).decode(), _pem(own)


def _pem(key: ec.EllipticCurvePrivateKey, password: str = "") -> str:
    hidden = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden).decode()


def wish(read: tuple[str, str] | None = None, target: Target = Target.kubernetes) -> Wanted:
    """read: what the two files hold; None: they are not here."""
    plain = wanted(on=site(target))
    listening = replace(plain.platform.gateway, certificate="/etc/maas/tls.crt", private_key="/etc/maas/tls.key")
    files = dict(zip(("/etc/maas/tls.crt", "/etc/maas/tls.key"), read, strict=True)) if read else {}
    return replace(plain, platform=replace(plain.platform, gateway=listening), credentials=files)


def secret(of: Wanted) -> Object:
    found = own_certificate.secret(of)
    assert found is not None
    return found


def on_cluster(of: Wanted) -> Facts:
    """With the Secret, as it is read: what it holds is digests."""
    found = marked(secret(of), ours=True)
    digests = {key: digest(base64.b64decode(value)) for key, value in found["data"].items()}
    plain = offline.facts()
    return replace(plain, lists={**plain.lists, OUR_SECRET.key: [{**found, "data": digests}]})


def test_the_listener_shows_it_and_nobody_issues_another() -> None:
    chain, key = pair("*.maas.local")
    made = wish((chain, key))
    (step,) = certificates.steps(made)
    (applied,) = step.actions
    assert isinstance(applied, Apply) and applied.object["type"] == "kubernetes.io/tls"
    held = {name: base64.b64decode(value).decode() for name, value in applied.object["data"].items()}
    assert held == {"tls.crt": chain, "tls.key": key}
    refs = [
        ref
        for each in items(gateway.gateway(made), "spec", "listeners")
        for ref in items(each, "tls", "certificateRefs")
    ]
    assert [ref["name"] for ref in refs] == [text(applied.object, "metadata", "name")]
    assert text(applied.object, "metadata", "name") != certificates.SECRET, "cert-manager writes into that one"


def test_a_renewed_file_is_applied_and_the_same_one_is_not() -> None:
    old, new = wish(pair("*.maas.local")), wish(pair("*.maas.local"))
    facts = on_cluster(old)
    assert planning.reduced(certificates.steps(old), facts).is_empty
    (step,) = planning.reduced(certificates.steps(new), facts).steps
    assert [a.object for a in step.actions if isinstance(a, Apply)] == [secret(new)]


def test_where_the_files_are_not_the_secret_that_is_there_stays() -> None:
    facts = on_cluster(wish(pair("*.maas.local")))
    elsewhere = wish()
    left = planning.reduced([*certificates.steps(elsewhere), *gateway.steps(elsewhere)], facts, "llm")
    actions = [action for step in left.steps for action in step.actions]
    assert not any(isinstance(each, Delete) for each in actions)
    assert not any(isinstance(each, Apply) and each.object["kind"] == "Secret" for each in actions)


def test_without_it_cert_manager_issues_one_again_and_the_secret_goes() -> None:
    facts = on_cluster(wish(pair("*.maas.local")))
    plain = wanted()
    left = planning.reduced([*certificates.steps(plain), *gateway.steps(plain)], facts, "llm")
    gone = [each.name for step in left.steps for each in step.actions if isinstance(each, Delete)]
    assert gone == [own_certificate.SECRET]


def test_nothing_that_is_shown_or_written_holds_the_key(tmp_path: Path) -> None:
    _, key = read = pair("*.maas.local")
    made = wish(read)
    (step,) = certificates.steps(made)
    rehearsed = Rehearsed(step, step.actions[0], "Secret", Outcome.accepted, "", None, secret(made))
    rendering.render(made, tmp_path)
    shown = [
        *differing._applied(rehearsed).lines,
        *(file.read_text() for file in tmp_path.rglob("*") if file.is_file()),
        json.dumps(plan_text.document(Plan((step,)))),
        repr(made),
    ]
    secrets = (key, base64.b64encode(key.encode()).decode(), key.splitlines()[1])
    assert not any(each in line for each in secrets for line in shown)


def test_who_renders_is_told_to_make_the_secret(tmp_path: Path) -> None:
    rendering.render(wish(), tmp_path)
    told = (tmp_path / "README.md").read_text()
    assert (
        "kubectl create secret tls maas-gateway-certificate -n llm \\\n"
        "  --cert=/etc/maas/tls.crt --key=/etc/maas/tls.key\n"
    ) in told
    assert "Secret llm/maas-gateway-certificate is there" in told
    assert not list(tmp_path.rglob("*secret*"))


def test_on_openshift_it_is_refused_with_what_to_do_instead() -> None:
    made = wish(target=Target.openshift)
    with pytest.raises(InvalidInput, match=r"the router ends TLS(.|\n)*oc patch ingresscontroller default"):
        certificates.steps(made)
    listening = "{certificate: /etc/maas/tls.crt, private_key: /etc/maas/tls.key}"
    document = Document(f"models: {{sim: {{runtime: simulator}}}}\ngateway: {listening}\n")
    with pytest.raises(InvalidPlatform, match="the router ends TLS"):
        changing.checked(document, Target.openshift, "llm")


_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    "chain,key,said",
    [
        (*pair("*.maas.local", key=_KEY), r"tls\.key is not the key of /etc/maas/tls\.crt"),
        (*pair("*.maas.local", days=-1), r"expired on 2026-10-31: renew it"),
        (
            *pair("*.other.org", "maas.other.org"),
            r"not for maas\.maas\.local.*its names are \*\.other\.org, maas\.other\.org",
        ),
        (*pair(), r"its names are none"),
        ("no PEM", _pem(_KEY), r"tls\.crt holds no PEM certificate"),
        (pair("*.maas.local")[0], "no PEM", r"tls\.key holds no PEM private key"),
        (pair("*.maas.local")[0], _pem(_KEY, "hush"), r"tls\.key has a passphrase"),
    ],
)
def test_what_the_gateway_could_not_serve_is_refused(chain: str, key: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        certificate_files.require_usable(wish((chain, key)), _NOW.timestamp())
    assert "PRIVATE KEY" not in str(refused.value)


@pytest.mark.parametrize("host", ["*.maas.local", "maas.maas.local"])
def test_one_for_the_host_of_all_models_will_do(host: str) -> None:
    certificate_files.require_usable(wish(pair(host)), _NOW.timestamp())


def _files(folder: Path, held: tuple[str, str]) -> Wanted:
    made = wish()
    for name, content in zip(("tls.crt", "tls.key"), held, strict=True):
        (folder / name).write_text(content)
    listening = replace(made.platform.gateway, certificate=str(folder / "tls.crt"), private_key=str(folder / "tls.key"))
    return replace(made, platform=replace(made.platform, gateway=listening))


def test_both_commands_read_the_files(tmp_path: Path) -> None:
    held = pair("*.maas.local", days=36500)
    made = _files(tmp_path, held)
    for read in (wanting.with_credentials(made), changing._with_credentials(made)):
        assert base64.b64decode(mapping(secret(read), "data")["tls.key"]).decode() == held[1]
    assert own_certificate.secret(changing._with_credentials(made, ["a model"])) is None, "that file was not given"


def test_a_file_that_is_away_is_missed_before_the_gateway_is_changed(tmp_path: Path) -> None:
    class Nothing:
        async def get(self, path: str, **_: Any) -> Any:
            raise Missing(path, object_named=True)

    made = changing._with_credentials(wish())
    with pytest.raises(
        InvalidInput, match=r"there is no Secret llm/maas-gateway-certificate(.|\n)*kubectl create secret"
    ):
        asyncio.run(certificate_files.require_there(cast(Api, Nothing()), made))
