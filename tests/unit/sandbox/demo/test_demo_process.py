"""`python -m sandbox.demo`, the process."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

A_PERSON = "12345678909"


def command(port: int, certificate: Path) -> list[str]:
    files = ["--cert", str(certificate), "--key", str(certificate)]
    return [sys.executable, "-m", "sandbox.demo", "--port", str(port), *files]


def outcome(root: Path, port: int, certificate: Path) -> tuple[int, str]:
    ended = subprocess.run(
        command(port, certificate), cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    return ended.returncode, ended.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a self-signed certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "demo")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "demo.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


@pytest.fixture
def process(root: Path, certificate: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command(port, certificate), cwd=root, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stderr
            assert f"https://127.0.0.1:{port}" in started.stderr.readline()
            yield started
        finally:
            started.kill()


@pytest.fixture
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


def test_it_serves_over_tls_until_it_is_told_to_stop(
    process: subprocess.Popen[str], certificate: Path, port: int
) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    with urllib.request.urlopen(f"https://localhost:{port}/health", context=trusting) as response:
        assert json.load(response) == {"status": "UP"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0


def test_a_cpf_in_a_malformed_request_is_not_logged(
    process: subprocess.Popen[str], certificate: Path, port: int
) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    with (
        socket.create_connection(("localhost", port)) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(f"{A_PERSON} is no request\r\n\r\n".encode())
        assert connection.recv(1024).startswith(b"HTTP/1.0 400 ")
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    assert A_PERSON not in log


def test_a_missing_certificate_ends_it_with_a_reason(root: Path, port: int, tmp_path: Path) -> None:
    code, log = outcome(root, port, tmp_path / "none.pem")
    assert code == 1
    assert "No such file" in log
    assert "Traceback" not in log


def test_a_taken_port_ends_it_with_a_reason(root: Path, certificate: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, log = outcome(root, taken.getsockname()[1], certificate)
    assert code == 1
    assert "address already in use" in log
    assert "Traceback" not in log
