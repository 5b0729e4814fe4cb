"""The certificate the gateway shows: from a local CA that is made at the first start, or the user's own.

A self-signed certificate without a CA was rejected: clients would have to trust it anew after every renewal.
The CA lives for ten years and its key never leaves the machine; the server's certificate lives for one and is
renewed when 30 days are left, or when it lacks a name it should have.
"""

import contextlib
import datetime
import ipaddress
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from maas.domain.errors import InvalidInput
from maas.domain.platform import Gateway
from maas.embedded.addresses import is_wildcard
from maas.embedded.atomic import replace
from maas.embedded.home import Home

_CA_LIFE = datetime.timedelta(days=3652)
_SERVER_LIFE = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=30)
_CLOCK_SKEW = datetime.timedelta(hours=1)  # a client's clock may be behind ours
_ALWAYS = ("localhost", "127.0.0.1", "::1", "maas.local", "*.maas.local")


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and its key; both PEM."""

    chain: bytes
    key: bytes

    def expires_at(self) -> float:
        """Seconds since the epoch."""
        return x509.load_pem_x509_certificate(self.chain).not_valid_after_utc.timestamp()


def ensure(home: Home, gateway: Gateway, now: float, serving: Pair | None = None) -> Pair:
    """The pair to serve with, made or renewed when needed.

    serving: what the gateway has been given before. If that is the user's own, it is not refused for its age: plain
    http, limits and models can do without, and some clients may, too.
    Raises InvalidInput when the user's own pair or the name of a host is unusable, OSError.
    """
    if gateway.certificate or gateway.private_key:
        own = _own_pair(gateway)
        if own != serving:
            require_valid_now(gateway, now)
        return own
    ca, ca_key = _ensure_ca(home, now)
    names = _names(gateway)
    pair = _stored_pair(home)
    if pair is None or not _good(pair, ca, names, now):
        pair = _issue(ca, ca_key, names, now)
        replace(home.server_key, pair.key)
        replace(home.server_certificate, pair.chain, mode=0o644)
    return pair


def require_valid_now(gateway: Gateway, now: float) -> None:
    """Raises InvalidInput when the user's own certificate, if there is one, is out of its time."""
    if not gateway.certificate:
        return
    path, moment = gateway.certificate, _moment(now)
    certificate = _first_certificate(path, _read(path, "certificate"))
    if certificate.not_valid_after_utc <= moment:
        raise InvalidInput(f"gateway.certificate: {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}.")
    if certificate.not_valid_before_utc > moment:
        raise InvalidInput(
            f"gateway.certificate: {path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}."
        )


def to_trust(home: Home, gateway: Gateway) -> Path | None:
    """What clients have to be given; None when who signed the user's own certificate is known to them or to the user.

    Raises InvalidInput, OSError.
    """
    if not gateway.certificate:
        return home.ca_certificate
    certificate = _first_certificate(gateway.certificate, _read(gateway.certificate, "certificate"))
    return Path(gateway.certificate) if certificate.issuer == certificate.subject else None


def _names(gateway: Gateway) -> list[str]:
    bound = [] if is_wildcard(gateway.bind) else [gateway.bind]
    return list(dict.fromkeys((*_ALWAYS, socket.gethostname().lower(), *bound, *gateway.hosts)))


def _own_pair(gateway: Gateway) -> Pair:
    if not (gateway.certificate and gateway.private_key):
        raise InvalidInput("gateway.certificate and gateway.private_key belong together: set both, or neither.")
    chain, key = _read(gateway.certificate, "certificate"), _read(gateway.private_key, "private_key")
    certificate = _first_certificate(gateway.certificate, chain)
    private = _load_own_key(key, gateway.private_key)
    if _public_bytes(private.public_key()) != _public_bytes(certificate.public_key()):
        raise InvalidInput(
            f"gateway.private_key: {gateway.private_key} is not the key of {gateway.certificate}. If the file holds a "
            "chain, the server's certificate must come first."
        )
    return Pair(chain, key)


def _first_certificate(path: str, chain: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise InvalidInput(f"gateway.certificate: {path} holds no PEM certificate.") from error


def _read(path: str, setting: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"gateway.{setting}: {path} cannot be read: {error.strerror}.") from error


def _load_own_key(pem: bytes, path: str) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(pem, None)
    except TypeError as error:  # what cryptography raises for a key with a passphrase
        raise InvalidInput(f"gateway.private_key: {path} has a passphrase; store it without one.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInput(f"gateway.private_key: {path} holds no PEM private key.") from error


def _ensure_ca(home: Home, now: float) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """An existing CA is kept as long as it can sign: clients trust it."""
    try:
        certificate = x509.load_pem_x509_certificate(home.ca_certificate.read_bytes())
        key = serialization.load_pem_private_key(home.ca_key.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return _make_ca(home, now)
    good = isinstance(key, ec.EllipticCurvePrivateKey) and _belongs(key, certificate)
    if not good or certificate.not_valid_after_utc <= _moment(now) + _SERVER_LIFE:
        return _make_ca(home, now)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return certificate, key


def _make_ca(home: Home, now: float) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"MaaS local CA of {socket.gethostname()}"[:64])])
    certificate = (
        _builder(name, name, key.public_key(), now, _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    replace(home.ca_key, _private_bytes(key))
    replace(home.ca_certificate, _pem(certificate), mode=0o644)
    return certificate, key


def _issue(ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, names: Iterable[str], now: float) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "maas.local")])
    certificate = (
        _builder(subject, ca.subject, key.public_key(), now, _SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Pair(_pem(certificate) + _pem(ca), _private_bytes(key))


def _stored_pair(home: Home) -> Pair | None:
    try:
        return Pair(home.server_certificate.read_bytes(), home.server_key.read_bytes())
    except FileNotFoundError:
        return None


def _good(pair: Pair, ca: x509.Certificate, names: Collection[str], now: float) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(pair.chain)
        key = serialization.load_pem_private_key(pair.key, None)
        certificate.verify_directly_issued_by(ca)
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False  # whatever is wrong with it, a new one is made
    lasts = certificate.not_valid_after_utc > _moment(now) + _RENEW_BEFORE
    return lasts and _belongs(key, certificate) and {_general_name(name) for name in names} <= set(san)


def _belongs(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    return _public_bytes(key.public_key()) == _public_bytes(certificate.public_key())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: float, life: datetime.timedelta
) -> x509.CertificateBuilder:
    start = _moment(now)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _CLOCK_SKEW)
        .not_valid_after(start + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    try:
        return x509.DNSName(name)
    except ValueError as error:
        raise InvalidInput(f"gateway.hosts: {name!r} is no host name; write an international one as xn--….") from error


def _moment(now: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now, datetime.UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
