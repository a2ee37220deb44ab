"""The demo backend as its callers meet it: over HTTP."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.demo import server

Client = TestClient[web.Request, web.Application]

A_PERSON = "12345678909"
CPF_PATH = "/cpf-light/consulta/cpf"
CEP_PATH = "/cep/consulta/cep/70150900"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(server.application())) as client:
        yield client


async def ask(client: Client, body: bytes, **headers: str) -> tuple[int, Any]:
    sent = {"Content-Type": "application/json", "X-Cpf-Usuario": A_PERSON} | headers
    async with client.post(CPF_PATH, data=body, headers=sent) as response:
        return response.status, await response.json()


async def test_people_are_answered(client: Client) -> None:
    status, (person,) = await ask(client, b'{"listaCpf": ["12345678909"]}')
    assert (status, person["CPF"]) == (200, A_PERSON)


async def test_a_charset_after_the_media_type_does_no_harm(client: Client) -> None:
    status, _ = await ask(
        client, b'{"listaCpf": ["12345678909"]}', **{"Content-Type": "application/json;charset=UTF-8"}
    )
    assert status == 200


async def test_a_postal_code_is_answered_in_utf_8(client: Client) -> None:
    async with client.get(CEP_PATH) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert "Brasília" in (await response.read()).decode()


async def test_the_backend_says_that_it_is_well(client: Client) -> None:
    async with client.get("/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "UP"})


async def test_a_user_sent_twice_is_refused(client: Client) -> None:
    headers = [("Content-Type", "application/json"), ("X-Cpf-Usuario", A_PERSON), ("X-Cpf-Usuario", A_PERSON)]
    async with client.post(CPF_PATH, data=b'{"listaCpf": ["12345678909"]}', headers=headers) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"{", {}, 400, id="malformed JSON"),
        pytest.param(b"{}", {"Content-Type": "text/xml"}, 415, id="not JSON"),
        pytest.param(b"{}", {"Content-Encoding": "gzip"}, 400, id="not what its encoding says"),
        pytest.param(b" " * (server.MAX_BODY + 1), {}, 413, id="too large"),
    ],
)
async def test_a_bad_body_is_refused_in_json(client: Client, body: bytes, headers: dict[str, str], status: int) -> None:
    actual, answer = await ask(client, body, **headers)
    assert (actual, answer["codigo"]) == (status, status)
    assert answer["mensagem"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/nowhere", 404, id="unknown path"),
        pytest.param("GET", CPF_PATH, 405, id="wrong method"),
        pytest.param("DELETE", CEP_PATH, 405, id="another wrong method"),
        pytest.param("GET", "/cep/consulta/cep/", 404, id="no postal code"),
    ],
)
async def test_a_request_without_a_route_is_refused_in_json(
    client: Client, method: str, path: str, status: int
) -> None:
    async with client.request(method, path) as response:
        assert response.status == status
        assert (await response.json())["codigo"] == status
        assert ("Allow" in response.headers) == (status == 405)


async def test_an_error_of_ours_is_answered_in_json_and_logged_without_its_text(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(cep: str) -> None:
        raise ZeroDivisionError(cep)

    monkeypatch.setattr(server, "about_cep", fail)
    async with client.get(CEP_PATH) as response:
        assert (response.status, (await response.json())["codigo"]) == (500, 500)
    assert "ZeroDivisionError" in caplog.text
    assert "70150900" not in caplog.text


async def test_the_id_of_a_request_comes_back_with_every_answer(client: Client) -> None:
    for path in (CEP_PATH, "/health", "/nowhere"):
        async with client.get(path, headers={"x-request-id": "id-of.the:caller"}) as response:
            assert response.headers["X-Request-Id"] == "id-of.the:caller"


@pytest.mark.parametrize("given", [None, "", "with space", "é", "x" * 129])
async def test_a_request_without_a_usable_id_gets_one(client: Client, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-Id": given}
    ids = set()
    for _ in range(2):
        async with client.get("/health", headers=headers) as response:
            ids.add(response.headers["X-Request-Id"])
    assert len(ids) == 2
    assert given not in ids


async def test_no_cpf_reaches_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="sandbox.demo")
    await ask(client, json.dumps({"listaCpf": [A_PERSON]}).encode(), **{"X-Request-Id": f"id-{A_PERSON}-1"})
    await client.get(f"/cep/consulta/cep/{A_PERSON}?cpf={A_PERSON}", headers={"X-Request-Id": "123.456.789-09"[:14]})
    await client.get(f"/{A_PERSON}")
    lines = [record.getMessage() for record in caplog.records if record.name == "sandbox.demo"]
    assert len(lines) == 3
    assert not [line for line in lines if A_PERSON in line or "123.456.789-09" in line]
    assert "request_id=id-***-1" in lines[0]
