"""The certificate the gateway shows: made, kept, renewed; or the user's own, checked before it is used."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from maas.domain.errors import InvalidInput
from maas.domain.platform import Gateway
from maas.embedded import tls
from maas.embedded.home import Home

NOW = 1_800_000_000.0
DAY = 86_400.0
LOCAL = Gateway()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def certificate(pair: tls.Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.chain)


def names(pair: tls.Pair) -> set[str]:
    san = certificate(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*san.get_values_for_type(x509.DNSName), *map(str, san.get_values_for_type(x509.IPAddress))}


def test_the_first_start_makes_an_authority_and_a_certificate(home: Home) -> None:
    pair = tls.ensure(home, LOCAL, NOW)

    ca = x509.load_pem_x509_certificate(home.ca_certificate.read_bytes())
    certificate(pair).verify_directly_issued_by(ca)
    assert ca.not_valid_after_utc.timestamp() > NOW + 3650 * DAY
    assert pair.expires_at() == NOW + 365 * DAY
    assert names(pair) >= {"localhost", "127.0.0.1", "::1", "maas.local", "*.maas.local", socket.gethostname()}


def test_keys_are_for_their_owner(home: Home) -> None:
    tls.ensure(home, LOCAL, NOW)

    assert home.ca_key.stat().st_mode & 0o777 == 0o600
    assert home.server_key.stat().st_mode & 0o777 == 0o600


def test_a_good_pair_is_kept(home: Home) -> None:
    assert tls.ensure(home, LOCAL, NOW) == tls.ensure(home, LOCAL, NOW + 300 * DAY)


def test_a_certificate_is_renewed_before_it_ends_and_the_authority_stays(home: Home) -> None:
    first = tls.ensure(home, LOCAL, NOW)
    ca = home.ca_certificate.read_bytes()

    second = tls.ensure(home, LOCAL, NOW + 336 * DAY)

    assert second.expires_at() > first.expires_at()
    assert home.ca_certificate.read_bytes() == ca


def test_an_authority_near_its_end_is_replaced_with_all_it_signed(home: Home) -> None:
    tls.ensure(home, LOCAL, NOW)
    ca = home.ca_certificate.read_bytes()

    tls.ensure(home, LOCAL, NOW + 3300 * DAY)

    assert home.ca_certificate.read_bytes() != ca


def test_a_new_name_makes_a_new_certificate(home: Home) -> None:
    tls.ensure(home, LOCAL, NOW)
    wider = replace(LOCAL, hosts=("maas.example.com", "*.models.example.com", "192.0.2.7"), bind="10.0.0.1")

    assert names(tls.ensure(home, wider, NOW)) >= {"maas.example.com", "*.models.example.com", "192.0.2.7", "10.0.0.1"}


@pytest.mark.parametrize("spoil", ["ca_key", "ca_certificate", "server_key", "server_certificate"])
def test_a_damaged_file_is_made_anew(home: Home, spoil: str) -> None:
    tls.ensure(home, LOCAL, NOW)
    getattr(home, spoil).write_text("damaged")

    pair = tls.ensure(home, LOCAL, NOW)

    certificate(pair).verify_directly_issued_by(x509.load_pem_x509_certificate(home.ca_certificate.read_bytes()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.server_certificate, home.server_key)


Spoil = Callable[[Path, Path], None]


def _other_key(_: Path, key: Path) -> None:
    fresh = ec.generate_private_key(ec.SECP256R1())
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(fresh.private_bytes(pem, pkcs8, plain))


def _locked_key(_: Path, key: Path) -> None:
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    key.write_bytes(pem)


@pytest.fixture
def own(tmp_path: Path, home: Home) -> Gateway:
    """A pair as a user would bring it."""
    pair = tls.ensure(home, LOCAL, NOW)
    chain, key = tmp_path / "own.crt", tmp_path / "own.key"
    chain.write_bytes(pair.chain)
    key.write_bytes(pair.key)
    return Gateway(certificate=str(chain), private_key=str(key))


def test_the_user_s_own_pair(home: Home, own: Gateway) -> None:
    assert tls.ensure(home, own, NOW).chain == Path(str(own.certificate)).read_bytes()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda chain, key: chain.unlink(), "own.crt cannot be read: No such file"),
        (lambda chain, key: chain.write_text("x"), "own.crt holds no PEM certificate"),
        (lambda chain, key: key.write_text("x"), "own.key holds no PEM private key"),
        (_other_key, "own.key is not the key of .*own.crt"),
        (_locked_key, "own.key has a passphrase"),
    ],
)
def test_an_unusable_pair_says_what_is_wrong(home: Home, own: Gateway, spoil: Spoil, message: str) -> None:
    spoil(Path(str(own.certificate)), Path(str(own.private_key)))

    with pytest.raises(InvalidInput, match=message):
        tls.ensure(home, own, NOW)


@pytest.mark.parametrize(("days", "message"), [(366, "expired on 20"), (-2, "is not valid before 20")])
def test_a_pair_out_of_its_time(home: Home, own: Gateway, days: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        tls.ensure(home, own, NOW + days * DAY)


def test_a_pair_that_is_served_may_grow_old(home: Home, own: Gateway) -> None:
    serving = tls.ensure(home, own, NOW)
    assert tls.ensure(home, own, NOW + 366 * DAY, serving) == serving
    with pytest.raises(InvalidInput, match="expired on 20"):
        tls.ensure(home, own, NOW + 366 * DAY, tls.Pair(b"another", serving.key))


def test_a_name_that_is_none(home: Home) -> None:
    with pytest.raises(InvalidInput, match="'mäas' is no host name"):
        tls.ensure(home, Gateway(hosts=("mäas",)), NOW)


def test_half_a_pair(home: Home) -> None:
    with pytest.raises(InvalidInput, match="set both, or neither"):
        tls.ensure(home, Gateway(certificate="/x"), NOW)
