"""The gateway's log: one line for every call, with all that must be provable and nothing that is personal."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN
from tests.support.application import CPF, Application, Gateway
from tests.support.kubectl import eventually, get

CEP = "/api-cep/v1/consulta/cep/70040020"
FLUSH = 10
"""Seconds; Envoy writes its log every second, or sooner."""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def lines(layout: Layout) -> Iterator[dict[str, Any]]:
    """What Envoy has logged of calls; its other lines are no JSON."""
    for line in layout.log("envoy").read_text().splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def the_line(layout: Layout, **what: Any) -> dict[str, Any]:
    """The one line with these values, once it is written."""

    def found() -> list[dict[str, Any]]:
        return [line for line in lines(layout) if what.items() <= line.items()]

    eventually(found, seconds=FLUSH)
    (line,) = found()
    return line


def test_a_granted_call_is_logged_with_who_called_what_and_how_it_went(platform: Layout, cep: Application) -> None:
    answer = cep.call("GET", CEP, headers={"traceparent": PARENT})
    line = the_line(platform, request_id=answer.headers["x-request-id"])
    expected = {
        "api_namespace": "receita",
        "api": "cep",
        "client_id": cep.key.client_id,
        "scopes": [
            "receita/cep",
            f"api:{get('conectaapi', 'receita', 'cep')['metadata']['uid'][:8]}",
            f"grant:{get('conectagrant', 'saude', 'agendamento-cep')['metadata']['uid'][:8]}",
            "agency:saude",
            "application:agendamento",
        ],
        "agency": "saude",
        "application": "agendamento",
        "grant": get("conectagrant", "saude", "agendamento-cep")["metadata"]["uid"][:8],
        "user_pseudonym": pseudonym_of(platform, CPF),
        "path_template": "/api-cep/v1/*",
        "rule": "call",
        "source_ip": "127.0.0.1",
        "method": "GET",
        "status": 200,
        "answered_by": "backend",
        "status_details": "via_upstream",
        "traceparent": PARENT,
    }
    assert {name: line[name] for name in expected} == expected
    assert line["route"].startswith("httproute/receita/cep/")
    assert line["time"].endswith("Z")
    assert line["backend_us"] > 0
    assert line["duration_ms"] * 1000 >= line["backend_us"] - 1000
    assert line["bytes_sent"] == len(answer.data)


def pseudonym_of(layout: Layout, cpf: str) -> str:
    """As docs/how-to/cpf-key.md says, with the key of the sandbox."""
    key = layout.key("cpf").read_bytes()
    mark, hashed = (hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in ("conecta", cpf))
    return f"{mark[:8]}:{hashed[:32]}"


def test_the_key_of_pseudonyms_is_in_no_configuration(platform: Layout) -> None:
    key = platform.key("cpf").read_text(encoding="ascii")
    dump = urllib3.request("GET", f"http://127.0.0.1:{ENVOY_ADMIN}/config_dump", timeout=10).data.decode()
    state = "".join(file.read_text(errors="ignore") for file in platform.pulumi_state.rglob("*") if file.is_file())
    written = json.dumps(get("envoyextensionpolicy", "conecta-gateway", "conecta"))
    assert "cpf.key" in written
    assert [place for place in (dump, state, written, platform.log("envoy").read_text()) if key in place] == []


def test_a_call_that_is_refused_by_its_api_says_which_demand_it_failed(
    platform: Layout, cpf_light: Application
) -> None:
    answer = cpf_light.call("POST", "/api-cpf-light/v2/consulta/cpf", headers={"x-cpf-usuario": "1"}, json_body={})
    line = the_line(platform, request_id=answer.json()["requestId"])
    assert (line["status"], line["answered_by"], line["status_details"]) == (400, "gateway", "direct_response")
    assert (line["path_template"], line["rule"]) == ("/api-cpf-light/v2/*", "without-x-cpf-usuario")
    assert (line["agency"], line["user_pseudonym"]) == ("saude", None)


def test_a_refusal_is_the_gateways_and_says_why(platform: Layout, gateway: Gateway, cpf_light: Application) -> None:
    for answer, details in (
        (gateway.request("GET", CEP), "jwt_authn_access_denied{Jwt_is_missing}"),
        (cpf_light.call("GET", CEP), "rbac_access_denied"),
        (gateway.request("GET", "/api-unknown/v1/x"), "route_not_found"),
    ):
        line = the_line(platform, request_id=answer.json()["requestId"])
        assert (line["status"], line["answered_by"]) == (answer.status, "gateway")
        assert line["status_details"].startswith(details)
        assert (line["backend"], line["backend_us"]) == (None, None)


def test_what_a_provider_refuses_is_the_providers(platform: Layout, cep: Application) -> None:
    answer = cep.call("GET", "/api-cep/v1/consulta/cep/123")
    line = the_line(platform, request_id=answer.headers["x-request-id"])
    assert (line["status"], line["answered_by"]) == (400, "backend")


def test_neither_a_cpf_nor_a_token_nor_a_secret_is_in_the_log(platform: Layout, cep: Application) -> None:
    token = cep.token()
    places = {"traceparent": f"00-{CPF}", "user-agent": CPF, "cookie": CPF, "x-forwarded-for": CPF, "x-conecta-a": CPF}
    answer = cep.call("GET", f"{CEP}?cpf={CPF}&access_token={token}", token=token, headers=places)
    cep.call("GET", f"/api-cep/v1/{CPF}", token=token)
    cep.call("POST", CEP, token=token, json_body={"cpf": CPF})
    last = cep.call("GET", CEP, token=token)
    assert the_line(platform, request_id=answer.headers["x-request-id"])["traceparent"] in {"", None}
    the_line(platform, request_id=last.headers["x-request-id"])
    text = platform.log("envoy").read_text()
    assert {secret for secret in (CPF, token, cep.key.secret, cep.key.basic) if secret in text} == set()


@pytest.mark.parametrize("name", ["agency", "application", "grant"])
def test_a_client_can_not_say_in_the_log_who_it_is(platform: Layout, cep: Application, name: str) -> None:
    answer = cep.call("GET", CEP, headers={f"x-conecta-{name}": "forjado"})
    assert the_line(platform, request_id=answer.headers["x-request-id"])[name] != "forjado"
