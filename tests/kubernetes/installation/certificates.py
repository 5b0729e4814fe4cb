"""cert-manager: issuers are ready, certificates get a Secret with a real certificate.

From facts/cluster.md §1.2. As the real one, it leaves the Secret where it is when a Certificate goes
(enable-certificate-owner-ref is off by default).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from maas.cluster import kinds
from maas.cluster.objects import Object, name, namespace, text, texts
from tests.kubernetes.installation.gateways import encoded
from tests.kubernetes.installation.playing import Deed, Make, Status
from tests.kubernetes.installation.telling import is_ending, said
from tests.kubernetes.installation.world import SECRET, World

_PARTS = ("cert-manager", "cert-manager-webhook", "cert-manager-cainjector")
_STARTS, _LASTS = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=3650)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def cert_manager(world: World) -> Iterator[Deed]:
    if not world.serves(kinds.CERTIFICATE, kinds.ISSUER) or not all(map(world.available, _PARTS)):
        return
    for issuer in (*world.all(kinds.ISSUER), *world.all(kinds.CLUSTER_ISSUER)):
        yield Status(issuer, {"conditions": [_of_issuer(world, issuer)]})
    for certificate in world.all(kinds.CERTIFICATE):
        if not is_ending(certificate):
            yield from _certificate(world, certificate)


def _of_issuer(world: World, issuer: Object) -> dict[str, object]:
    """One that signs with a CA needs its Secret; a ClusterIssuer's is in cert-manager's namespace."""
    wanted, where = text(issuer, "spec", "ca", "secretName"), namespace(issuer) or "cert-manager"
    if wanted and not world.one(SECRET, wanted, where):
        return said(issuer, "Ready", False, "SecretNotFound", f'secret "{wanted}" not found')
    return said(issuer, "Ready", True, "KeyPairVerified" if wanted else "IsReady", "")


def _certificate(world: World, certificate: Object) -> Iterator[Deed]:
    where, wanted = namespace(certificate), text(certificate, "spec", "issuerRef", "name")
    is_cluster = text(certificate, "spec", "issuerRef", "kind") == "ClusterIssuer"
    issuer = world.one(kinds.CLUSTER_ISSUER if is_cluster else kinds.ISSUER, wanted, "" if is_cluster else where)
    if issuer is None or _of_issuer(world, issuer)["status"] != "True":
        yield Status(certificate, {"conditions": [said(certificate, "Ready", False, "DoesNotExist", "no such issuer")]})
        return
    yield Make(_secret(certificate), "cert-manager-certificates-issuing")
    yield Status(
        certificate,
        {
            "conditions": [said(certificate, "Ready", True, "Ready", "Certificate is up to date and has not expired")],
            "notBefore": _STARTS.strftime(_FORM),
            "notAfter": (_STARTS + _LASTS).strftime(_FORM),
            "renewalTime": (_STARTS + _LASTS * 2 / 3).strftime(_FORM),
            "revision": 1,
        },
    )


def _secret(certificate: Object) -> Object:
    names = texts(certificate, "spec", "dnsNames") or [text(certificate, "spec", "commonName") or name(certificate)]
    chain, key = _pair(tuple(names))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": text(certificate, "spec", "secretName"),
            "namespace": namespace(certificate),
            "labels": {"controller.cert-manager.io/fao": "true"},
            "annotations": {
                "cert-manager.io/certificate-name": name(certificate),
                "cert-manager.io/issuer-name": text(certificate, "spec", "issuerRef", "name"),
            },
        },
        "type": "kubernetes.io/tls",
        "data": encoded({"tls.crt": chain, "tls.key": key, "ca.crt": chain}),
    }


@cache
def _pair(names: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_STARTS)
        .not_valid_after(_STARTS + _LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return built.public_bytes(Encoding.PEM), private


PLAYERS = (cert_manager,)
