"""Certificates of the sandbox: who may use them for what, and when they are made anew."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sandbox.layout import Layout
from sandbox.pki import CERTIFICATES, RENEW_BEFORE, Authority, Certificate, ensure_pki, write_private

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SERVER = Certificate(name="hydra", common_name="hydra", names=("localhost", "127.0.0.1", "::1"), server=True)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.create()
    return layout


def names_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def test_a_certificate_says_what_was_wanted_and_is_signed_by_the_authority() -> None:
    authority = Authority.create(NOW)
    pem, _ = authority.issue(SERVER, NOW)
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.verify_directly_issued_by(authority.certificate)
    assert names_of(certificate) == {"localhost", "127.0.0.1", "::1"}
    assert authority.has_issued(pem, SERVER, NOW)


@pytest.mark.parametrize("wanted", CERTIFICATES, ids=[certificate.name for certificate in CERTIFICATES])
def test_a_certificate_serves_the_side_that_it_is_for(wanted: Certificate) -> None:
    pem, _ = Authority.create(NOW).issue(wanted, NOW)
    usages = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (ExtendedKeyUsageOID.SERVER_AUTH in usages) == wanted.server
    assert (ExtendedKeyUsageOID.CLIENT_AUTH in usages) == wanted.client


def test_nobody_is_of_system_masters() -> None:
    assert "system:masters" not in {certificate.organization for certificate in CERTIFICATES}


def test_the_gateway_is_reached_by_its_public_names() -> None:
    (gateway,) = (certificate for certificate in CERTIFICATES if certificate.name == "gateway")
    assert {"localhost", "apigateway.conecta.localhost", "h-apigateway.conecta.localhost", "::1"} <= set(gateway.names)


@pytest.mark.parametrize(
    ("wanted", "now"),
    [
        pytest.param(Certificate(name="h", common_name="other", names=SERVER.names, server=True), NOW, id="other name"),
        pytest.param(
            Certificate(name="h", common_name="hydra", names=("localhost",), server=True), NOW, id="other hosts"
        ),
        pytest.param(SERVER, NOW + timedelta(days=397) - RENEW_BEFORE, id="about to expire"),
    ],
)
def test_a_certificate_that_is_not_what_is_wanted_is_not_taken_for_it(wanted: Certificate, now: datetime) -> None:
    authority = Authority.create(NOW)
    pem, _ = authority.issue(SERVER, NOW)
    assert not authority.has_issued(pem, wanted, now)


def test_a_certificate_of_another_authority_is_not_taken() -> None:
    pem, _ = Authority.create(NOW).issue(SERVER, NOW)
    assert not Authority.create(NOW).has_issued(pem, SERVER, NOW)


def test_what_is_there_is_kept(layout: Layout) -> None:
    assert set(ensure_pki(layout)) == {certificate.name for certificate in CERTIFICATES}
    before = {file.name: file.read_bytes() for file in layout.pki.iterdir()}
    assert ensure_pki(layout) == []
    assert {file.name: file.read_bytes() for file in layout.pki.iterdir()} == before


def test_what_is_missing_is_made(layout: Layout) -> None:
    ensure_pki(layout)
    layout.key("hydra").unlink()
    assert ensure_pki(layout) == ["hydra"]


def test_everything_is_made_anew_for_a_new_authority(layout: Layout) -> None:
    ensure_pki(layout)
    layout.key("ca").unlink()
    assert len(ensure_pki(layout)) == len(CERTIFICATES)


def test_python_loads_every_pair(layout: Layout) -> None:
    ensure_pki(layout)
    for certificate in CERTIFICATES:
        context = ssl.create_default_context(cafile=str(layout.ca_file))
        context.load_cert_chain(layout.certificate(certificate.name), layout.key(certificate.name))


def test_private_files_are_for_their_owner_only(layout: Layout) -> None:
    ensure_pki(layout)
    assert {file.stat().st_mode & 0o777 for file in layout.pki.glob("*.key")} == {0o600}


def test_a_private_file_replaces_one_that_others_could_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]
