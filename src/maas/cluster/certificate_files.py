"""Whether the certificate that maas.yaml names can be served: found out before the gateway is changed."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from maas.cluster.api import Api
from maas.cluster.applying import objects
from maas.cluster.resources import names, own_certificate
from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidInput


async def require_there(api: Api, wanted: Wanted) -> None:
    """Where the files were not read: the gateway would refer to nothing. Raises MaasError."""
    found, where, called = own_certificate.files(wanted), wanted.namespace, own_certificate.SECRET
    if not found or own_certificate.secret(wanted) or await objects.one(api, own_certificate.KIND, called, where):
        return
    raise InvalidInput(
        f"gateway.certificate: {' and '.join(found)} can't be read here, and there is no Secret {where}/{called}."
        " Apply it where the files are, or make the Secret:\n" + "\n".join(own_certificate.command(wanted))
    )


def require_usable(wanted: Wanted, now: float) -> None:
    """Of what was read: a gateway with another pair would answer nobody. Raises InvalidInput."""
    found = own_certificate.files(wanted)
    if not found or not all(file in wanted.credentials for file in found):
        return
    certificate = _certificate(found[0], wanted.credentials[found[0]])
    key = _key(found[1], wanted.credentials[found[1]])
    if _bytes(key.public_key()) != _bytes(certificate.public_key()):
        raise InvalidInput(
            f"gateway.private_key: {found[1]} is not the key of {found[0]}. If that file holds a chain, the server's"
            " certificate must come first"
        )
    _require_valid(certificate, found[0], names.shared_host(wanted), now)


def _certificate(file: str, pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError:
        raise InvalidInput(f"gateway.certificate: {file} holds no PEM certificate") from None


def _key(file: str, pem: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem.encode(), None)
    except TypeError:  # what cryptography raises for a key with a passphrase
        raise InvalidInput(f"gateway.private_key: {file} has a passphrase; store it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(f"gateway.private_key: {file} holds no PEM private key") from None


def _require_valid(certificate: x509.Certificate, file: str, host: str, now: float) -> None:
    moment, end = datetime.fromtimestamp(now, UTC), certificate.not_valid_after_utc
    if end <= moment:
        raise InvalidInput(f"gateway.certificate: {file} expired on {end:%Y-%m-%d}: renew it")
    if certificate.not_valid_before_utc > moment:
        begin = certificate.not_valid_before_utc
        raise InvalidInput(f"gateway.certificate: {file} is not valid before {begin:%Y-%m-%d}")
    known = _hosts(certificate)
    if not {host, f"*.{host.partition('.')[2]}"} & known:
        told = ", ".join(sorted(known)) or "none"
        wild = f"*.{host.partition('.')[2]}"
        raise InvalidInput(
            f"gateway.certificate: {file} is not for {host}, where models are called: its names are {told}. Have one"
            f" made for {wild}, or choose the domain with --domain"
        )


def _hosts(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return set()
    return {each.lower() for each in found.get_values_for_type(x509.DNSName)}


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
