"""`kubectl conecta token` does what the application would do, and tells no secret."""

import base64
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization

from conecta_operator.api.objects import Manifest
from sandbox.pki import Authority, Certificate
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ApiServer, Request, served

SECRET = "a secret/with+signs"
TOKEN = {"access_token": "eyJ.eyJ.sig", "expires_in": 7200, "scope": "receita/cep", "token_type": "bearer"}


@dataclass
class Issuer:
    """A token endpoint."""

    url: str = ""
    status: int = 200
    says: Any = field(default_factory=lambda: TOKEN)
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append(request)
        return self.status, self.says


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and cert.pem and key.pem of a server named localhost."""
    folder, now = tmp_path_factory.mktemp("pki"), datetime.now(UTC)
    ca = Authority.create(now)
    certificate, key = ca.issue(Certificate(name="t", common_name="t", names=("localhost",), server=True), now)
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    pem = ca.certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    return folder


@pytest.fixture
def issuer(authority: Path) -> Iterator[Issuer]:
    made = Issuer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    with served(made.answer, context) as url:
        made.url = f"{url}/oauth2/jwt-token"
        yield made


@pytest.fixture
def trusting(kubeconfig: Path, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """A caller with a kubeconfig, and the gateway's CA."""
    monkeypatch.setenv("CONECTA_CA", str(authority / "ca.pem"))


@pytest.fixture
def keyed(grant: Manifest, server: ApiServer, issuer: Issuer, trusting: None) -> Manifest:  # noqa: ARG001
    """The grant with a key in its Secret, and a caller who trusts the gateway."""
    grant["status"] = {"tokenUrl": issuer.url, "binding": {"name": "chave"}}
    data = {"client-id": "saude-agendamento-0a1b2c3d-1", "client-secret": SECRET}
    server.put(
        "secrets",
        {
            "metadata": {"name": "chave", "namespace": "saude"},
            "data": {name: base64.b64encode(text.encode()).decode() for name, text in data.items()},
        },
    )
    return grant


@pytest.mark.usefixtures("keyed")
def test_the_token_is_printed_and_nothing_else(run: Run, issuer: Issuer) -> None:
    ran = run("token", "agendamento-cep")
    assert (ran.code, ran.out, ran.err) == (0, "eyJ.eyJ.sig\n", "")
    (request,) = issuer.requests
    assert (request.method, request.path, request.body) == (
        "POST",
        "/oauth2/jwt-token",
        "grant_type=client_credentials",
    )
    basic = base64.b64encode(b"saude-agendamento-0a1b2c3d-1:a%20secret%2Fwith%2Bsigns").decode()
    assert request.header("authorization") == [f"Basic {basic}"]


@pytest.mark.usefixtures("keyed")
def test_for_programs_it_is_the_answer(run: Run) -> None:
    assert json.loads(run("token", "agendamento-cep", "-o", "json").out) == TOKEN
    assert yaml.safe_load(run("token", "agendamento-cep", "-o", "yaml").out) == TOKEN


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("output", [[], ["-o", "json"], ["-o", "yaml"]])
def test_quiet_says_only_whether_it_works(run: Run, issuer: Issuer, output: list[str]) -> None:
    ran = run("token", "agendamento-cep", "--quiet", *output)
    assert ran.code == 0
    assert "works" in ran.out
    assert "eyJ" not in ran.out + ran.err
    issuer.status, issuer.says = 401, {"error": "invalid_client", "error_description": "Unknown."}
    refused = run("token", "agendamento-cep", "--quiet", *output)
    assert (refused.code, refused.out) == (1, "")


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    ("status", "says", "shown"),
    [
        (401, {"error": "invalid_client", "error_description": "Two\nlines"}, "answers 401 invalid_client: Two lines"),
        (503, "<html>busy</html>", "gives no token: it answers 503"),
        (302, "", "it answers 302"),
        (200, "<html>", "answers, but not with a token"),
        (200, {"access_token": ""}, "answers, but not with a token"),
    ],
)
def test_a_refusal_costs_one_line(run: Run, issuer: Issuer, status: int, says: Any, shown: str) -> None:
    issuer.status, issuer.says = status, says
    ran = run("token", "agendamento-cep")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert shown in ran.err
    assert SECRET not in ran.err


@pytest.mark.usefixtures("keyed")
def test_a_gateway_that_is_not_trusted_gets_no_key(run: Run, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONECTA_CA")
    ran = run("token", "agendamento-cep")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "--ca-file or $CONECTA_CA" in ran.err
    assert issuer.requests == []


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none_is_named(run: Run, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    ran = run("token", "agendamento-cep", "--ca-file", str(file))
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert str(file) in ran.err


def test_a_key_is_never_sent_without_tls(run: Run, keyed: Manifest, server: ApiServer) -> None:
    keyed["status"]["tokenUrl"] = f"{server.url}/oauth2/jwt-token"
    assert "by https only" in run("token", "agendamento-cep").err
    assert not any(request.method == "POST" for request in server.requests)


def test_a_gateway_that_is_away_is_named(run: Run, keyed: Manifest) -> None:
    keyed["status"]["tokenUrl"] = "https://localhost:1/oauth2/jwt-token"
    ran = run("token", "agendamento-cep")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("error: no answer from https://localhost:1/oauth2/jwt-token: ")


@pytest.mark.parametrize("lacks", ["secret", "client-id", "client-secret", "token-uri"])
def test_without_a_key_it_points_to_why(run: Run, keyed: Manifest, server: ApiServer, lacks: str) -> None:
    if lacks == "secret":
        del server.objects["secrets", "saude", "chave"]
    elif lacks == "token-uri":
        del keyed["status"]["tokenUrl"]
    else:
        del server.objects["secrets", "saude", "chave"]["data"][lacks]
    ran = run("token", "agendamento-cep")
    assert ran.code == 1
    assert ran.err == (
        "error: grant saude/agendamento-cep has no key in Secret chave; "
        "kubectl conecta why saude/agendamento-cep says why\n"
    )


@pytest.mark.usefixtures("keyed")
def test_who_may_not_read_the_secret_is_told_so(run: Run, server: ApiServer) -> None:
    server.refused = {("get", "secrets", "saude")}
    assert run("token", "agendamento-cep").err.startswith("error: the API server says Forbidden: secrets")
