"""A certificate authority for one test cluster: the server's certificate, and one for each user."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    folder: Path
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, folder: Path) -> Self:
        folder.mkdir(exist_ok=True)
        made = cls(folder, ec.generate_private_key(ec.SECP256R1()))
        name = _named("test-ca")
        builder = _builder(name, name, made.key.public_key()).add_extension(x509.BasicConstraints(True, None), True)
        made._write("ca.crt", builder)
        return made

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    def server(self) -> tuple[Path, Path]:
        """Of 127.0.0.1 and localhost."""
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")])
        return self._signed("server", _named("kube-apiserver"), names)

    def client(self, user: str, groups: Sequence[str] = ()) -> tuple[Path, Path]:
        """As Kubernetes reads it: the user is the common name, groups are organisations."""
        return self._signed(re.sub(r"\W", "-", f"user-{user}-{'-'.join(groups)}"), _named(user, groups))

    def _signed(
        self, file: str, subject: x509.Name, names: x509.SubjectAlternativeName | None = None
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, _named("test-ca"), key.public_key())
        if names:
            builder = builder.add_extension(names, False)
        place = self.folder / f"{file}.key"
        place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
        return self._write(f"{file}.crt", builder), place

    def _write(self, file: str, builder: x509.CertificateBuilder) -> Path:
        place = self.folder / file
        place.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return place


def _named(name: str, groups: Sequence[str] = ()) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
