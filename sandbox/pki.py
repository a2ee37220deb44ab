"""One certificate authority for the sandbox, and the certificates that it signs.

Certificates for servers can't be used by clients and the other way round: no serving key opens etcd or the API server.
"""

import ipaddress
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.layout import Layout

__all__ = ["CERTIFICATES", "ETCD_CLIENT", "Authority", "Certificate", "ensure_pki", "write_private"]

ETCD_CLIENT: Final = "apiserver.etcd-client.conecta"
"""etcd admits clients with this name only: the CA signs other clients as well."""
LIFETIME: Final = timedelta(days=397)
RENEW_BEFORE: Final = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate that somebody needs: who, under which names, for which side of a connection."""

    name: str
    common_name: str
    organization: str | None = None
    names: tuple[str, ...] = ()
    """DNS names and IP addresses."""
    server: bool = False
    client: bool = False


LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
CERTIFICATES: Final = (
    Certificate(name="etcd", common_name="etcd", names=LOOPBACK, server=True, client=True),
    Certificate(name="etcd-client", common_name="kube-apiserver", names=(ETCD_CLIENT,), client=True),
    Certificate(
        name="apiserver",
        common_name="kube-apiserver",
        names=(*LOOPBACK, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.96.0.1"),
        server=True,
    ),
    Certificate(name="kcm", common_name="system:kube-controller-manager", client=True),
    Certificate(name="kcm-server", common_name="kube-controller-manager", names=LOOPBACK, server=True),
    Certificate(name="admin", common_name="platform-admin", organization="conecta:administrators", client=True),
    Certificate(name="gateway-infra", common_name="conecta-gateway-infra", client=True),
    Certificate(name="gateway-client", common_name="conecta-gateway", client=True),
    Certificate(name="hydra", common_name="hydra", names=("hydra.localhost", *LOOPBACK), server=True),
    Certificate(
        name="demo-backend", common_name="demo-backend", names=("demo-backend.localhost", *LOOPBACK), server=True
    ),
    Certificate(
        name="gateway",
        common_name="gateway",
        names=(*LOOPBACK, "apigateway.conecta.localhost", "h-apigateway.conecta.localhost"),
        server=True,
    ),
)


class Authority:
    """The CA: signs, and knows its own."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def ensure(cls, layout: Layout, now: datetime) -> "Authority":
        """Return the sandbox's CA, made when there is none or when it is about to expire."""
        if layout.ca_file.exists() and layout.key("ca").exists():
            certificate = x509.load_pem_x509_certificate(layout.ca_file.read_bytes())
            key = serialization.load_pem_private_key(layout.key("ca").read_bytes(), None)
            if isinstance(key, ec.EllipticCurvePrivateKey) and certificate.not_valid_after_utc > now + RENEW_BEFORE:
                return cls(certificate, key)
        authority = cls.create(now)
        authority.save(layout)
        return authority

    @classmethod
    def create(cls, now: datetime) -> "Authority":
        """Make a new CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Conecta sandbox CA")])
        builder = (
            _builder(name, name, key.public_key(), now, LIFETIME * 2)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    def save(self, layout: Layout) -> None:
        """Keep it, the key for the owner's eyes only."""
        write_private(layout.key("ca"), _private_pem(self._key))
        layout.ca_file.write_bytes(_pem(self.certificate))

    def issue(self, wanted: Certificate, now: datetime, lifetime: timedelta = LIFETIME) -> tuple[bytes, bytes]:
        """Return a new certificate and its private key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_subject(wanted), self.certificate.subject, key.public_key(), now, lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(_usages(wanted))), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if wanted.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(_names(wanted))), critical=False)
        return _pem(builder.sign(self._key, hashes.SHA256())), _private_pem(key)

    def has_issued(self, pem: bytes, wanted: Certificate, now: datetime) -> bool:
        """Return whether a certificate is ours, says what is wanted, and will go on doing so."""
        certificate = x509.load_pem_x509_certificate(pem)
        try:
            certificate.verify_directly_issued_by(self.certificate)
            names = set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            names = set()
        except Exception:  # noqa: BLE001 - whatever is wrong with its signature: it isn't ours
            return False
        return (
            certificate.subject == _subject(wanted)
            and names == set(_names(wanted))
            and certificate.not_valid_after_utc > now + RENEW_BEFORE
        )


def ensure_pki(layout: Layout, certificates: Iterable[Certificate] = CERTIFICATES) -> list[str]:
    """Make what is missing or about to expire; return the names of the certificates that are new."""
    now = datetime.now(UTC)
    authority = Authority.ensure(layout, now)
    issued = []
    for wanted in certificates:
        file = layout.certificate(wanted.name)
        if file.exists() and layout.key(wanted.name).exists() and authority.has_issued(file.read_bytes(), wanted, now):
            continue
        certificate, key = authority.issue(wanted, now)
        write_private(layout.key(wanted.name), key)
        file.write_bytes(certificate)
        issued.append(wanted.name)
    _ensure_service_account_keys(layout)
    if not layout.key("cpf").exists():
        write_private(layout.key("cpf"), secrets.token_urlsafe(32))
    return issued


def write_private(file: Path, content: bytes | str) -> None:
    """Write a file that was never readable by others, not even for an instant; replace what was there."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
    temporary.replace(file)


def _ensure_service_account_keys(layout: Layout) -> None:
    if layout.key("service-account").exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (layout.pki / "service-account.pub").write_bytes(public)
    write_private(layout.key("service-account"), _private_pem(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _usages(wanted: Certificate) -> Iterable[x509.ObjectIdentifier]:
    if wanted.server:
        yield ExtendedKeyUsageOID.SERVER_AUTH
    if wanted.client:
        yield ExtendedKeyUsageOID.CLIENT_AUTH


def _subject(wanted: Certificate) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name)]
    if wanted.organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, wanted.organization))
    return x509.Name(attributes)


def _names(wanted: Certificate) -> Iterable[x509.GeneralName]:
    for name in wanted.names:
        try:
            yield x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            yield x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
