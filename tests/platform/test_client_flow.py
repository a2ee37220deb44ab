"""What every existing client does, to the letter: a token, then a call (`domain.md`, The call)."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.application import CPF, Application, Gateway
from tests.support.kubectl import eventually, get
from tests.support.tokens import IssuerAdmin, claims_of, expired

CEP = "/api-cep/v1/consulta/cep/70040020"
CPF_LIGHT = "/api-cpf-light/v2/consulta/cpf"


def test_credentials_are_taken_by_basic_by_body_and_by_both(gateway: Gateway, cep: Application) -> None:
    form = {"grant_type": "client_credentials"}
    in_body = {"client_id": cep.key.client_id, "client_secret": cep.key.secret}
    basic = {"authorization": cep.key.basic}
    for body, headers in ((form, basic), (form | in_body, {}), (form | in_body, basic), (in_body | form, basic)):
        answer = gateway.token_answer(body, headers)
        assert answer.status == 200, answer.data
        token = answer.json()
        assert token["expires_in"] == 7200
        assert token["token_type"].lower() == "bearer"
        assert answer.headers["content-type"].startswith("application/json")
        assert claims_of(token["access_token"])["exp"] == pytest.approx(time.time() + 7200, abs=30)


@pytest.mark.parametrize("place", ["header", "body", "both"])
def test_a_wrong_secret_gets_no_token(gateway: Gateway, cep: Application, place: str) -> None:
    wrong = type(cep.key)(cep.key.client_id, "x" * 43)
    body = {"client_id": wrong.client_id, "client_secret": wrong.secret} if place != "header" else {}
    headers = {"authorization": wrong.basic} if place != "body" else {}
    answer = gateway.token_answer({"grant_type": "client_credentials", **body}, headers)
    assert answer.status == 401
    assert answer.json()["error"] == "invalid_client"


def test_tokens_are_given_while_the_issuers_database_is_being_written_to(cep: Application, issuer: IssuerAdmin) -> None:
    done = threading.Event()

    def write() -> None:
        client_id = f"written-{uuid.uuid4().hex[:8]}"
        while not done.wait(0.1):
            issuer.create_client({"client_id": client_id, "grant_types": ["client_credentials"]})
            issuer.delete_client(client_id)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            tokens = [cep.token() for _ in range(100)]
        finally:
            done.set()
        writing.result()
    assert len(set(tokens)) == 100


def test_no_credentials_get_no_token(gateway: Gateway) -> None:
    answer = gateway.token_answer({"grant_type": "client_credentials"})
    assert answer.status in {400, 401}
    assert "access_token" not in answer.json()


def test_a_granted_call_reaches_the_provider(cep: Application, cpf_light: Application) -> None:
    found = cep.call("GET", CEP)
    assert (found.status, found.json()["cep"]) == (200, "70040020")
    answers = cpf_light.call("POST", CPF_LIGHT, json_body={"listaCpf": [CPF]})
    assert answers.status == 200
    assert len(answers.json()) == 1


def test_one_token_serves_many_calls_of_up_to_fifty_cpfs(cpf_light: Application) -> None:
    token = cpf_light.token()
    assert cpf_light.call("POST", CPF_LIGHT, token=token, json_body={"listaCpf": [CPF] * 50}).status == 200
    assert cpf_light.call("POST", CPF_LIGHT, token=token, json_body={"listaCpf": [CPF] * 51}).status == 400


def test_the_backend_echoes_a_request_id(cep: Application) -> None:
    assert cep.call("GET", CEP).headers["x-request-id"]


def test_what_the_provider_refuses_is_passed_on(cep: Application) -> None:
    assert cep.call("GET", "/api-cep/v1/consulta/cep/123").status == 400
    assert cep.call("GET", "/api-cep/v1/consulta/cep/00000000").status == 404


def test_a_call_without_a_token_is_refused(gateway: Gateway) -> None:
    answer = gateway.request("GET", CEP)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_wrong_and_expired_tokens_are_refused(cep: Application, issuer: IssuerAdmin) -> None:
    claims = claims_of(cep.token())
    assert cep.call("GET", CEP, token=issuer.sign(claims)).status == 200, "the test's own signing must work"
    header, payload, signature = cep.token().split(".")
    wrong = {
        "garbage": "garbage",
        "no signature": f"{header}.{payload}.",
        "another signature": f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        "signed by somebody else": issuer.sign(claims, of_another_issuer=True),
        "expired": issuer.sign(expired(claims)),
        "of another issuer": issuer.sign({**claims, "iss": "https://elsewhere.example"}),
    }
    assert {name: cep.call("GET", CEP, token=token).status for name, token in wrong.items()} == dict.fromkeys(
        wrong, 401
    )


def test_a_token_that_has_been_taken_is_refused_once_it_has_ended(cep: Application, issuer: IssuerAdmin) -> None:
    """Envoy takes clocks to differ by up to a minute."""
    token = issuer.sign(expired(claims_of(cep.token()), since=50))
    assert [cep.call("GET", CEP, token=token).status for _ in range(8)] == [200] * 8
    eventually(lambda: cep.call("GET", CEP, token=token).status == 401, seconds=15)
    assert [cep.call("GET", CEP, token=token).status for _ in range(8)] == [401] * 8


def test_a_token_for_another_api_is_forbidden(cep: Application, cpf_light: Application) -> None:
    assert cpf_light.call("GET", CEP).status == 403
    assert cep.call("POST", CPF_LIGHT, json_body={"listaCpf": [CPF]}).status == 403


def test_an_unknown_path_is_not_found(gateway: Gateway, cep: Application) -> None:
    assert gateway.request("GET", "/api-unknown/v1/x").status == 404
    assert cep.call("GET", "/api-cep/v2/consulta/cep/70040020").status == 404


def test_the_gateway_answers_by_its_public_name(public_gateway: Gateway, cep: Application) -> None:
    assert Application(public_gateway, cep.key).call("GET", CEP).status == 200


def test_the_token_carries_what_the_gateway_decides_on(cep: Application) -> None:
    claims = claims_of(cep.token())
    assert claims["client_id"] == cep.key.client_id
    assert claims["scope"].split() == [
        "receita/cep",
        f"api:{get('conectaapi', 'receita', 'cep')['metadata']['uid'][:8]}",
        f"grant:{get('conectagrant', 'saude', 'agendamento-cep')['metadata']['uid'][:8]}",
        "agency:saude",
        "application:agendamento",
    ]
