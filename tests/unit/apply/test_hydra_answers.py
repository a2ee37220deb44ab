"""What HydraIssuer makes of each answer that Hydra, or something in its place, can give."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from conecta_operator.api.keys import Key
from conecta_operator.apply.hydra import HydraIssuer
from conecta_operator.errors import IssuerUnavailable, OperatorError, Rejected
from tests.unit.apply.conftest import ScriptedServer, shown

PASSWORD = SecretStr("c2VuaGEtbXVpdG8tc2VjcmV0YQ")
KEY = Key(
    client_id="saude-agendamento-6f1c1d3e-2",
    grant="saude/agendamento-cep",
    grant_uid="6f1c1d3e-uid",
    number=2,
    scopes=("receita/cep", "grant:6f1c1d3e"),
    issued_at=datetime(2026, 11, 24, 7, 30, tzinfo=UTC),
    retires_at=datetime(2026, 11, 27, 7, 30, tzinfo=UTC),
    fingerprint="f" * 64,
    serial=1,
)
CLIENT: dict[str, Any] = {
    "client_id": KEY.client_id,
    "client_name": KEY.grant,
    "owner": KEY.grant_uid,
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "client_secret_basic",
    "access_token_strategy": "jwt",
    "scope": "receita/cep grant:6f1c1d3e",
    "metadata": {
        "managed-by": "conecta-operator",
        "grant": KEY.grant,
        "number": 2,
        "issuedAt": "2026-11-24T07:30:00Z",
        "retiresAt": "2026-11-27T07:30:00Z",
        "fingerprint": KEY.fingerprint,
        "serial": 1,
    },
}
STORED = CLIENT | {"created_at": "2026-11-24T07:31:00Z"}
ABSENT = {"error": "Unable to locate the resource", "error_description": ""}
Method = Callable[[HydraIssuer], Awaitable[object]]
METHODS: dict[str, Method] = {
    "keys": lambda issuer: issuer.keys(KEY.grant_uid),
    "put": lambda issuer: issuer.put(KEY, PASSWORD),
    "remove": lambda issuer: issuer.remove(KEY.client_id),
    "jwks": lambda issuer: issuer.jwks(),
    "signing_keys": lambda issuer: issuer.signing_keys("some"),
    "remove_signing_key": lambda issuer: issuer.remove_signing_key("some", "a"),
}


@pytest.fixture
async def issuer(server: ScriptedServer) -> AsyncIterator[HydraIssuer]:
    async with HydraIssuer(admin_url=server.url, public_url=f"{server.url}/") as connected:
        yield connected


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, Rejected) for code in (400, 422)),
        *((code, IssuerUnavailable) for code in (301, 401, 403, 429, 500, 502, 503)),
    ],
)
async def test_each_status_is_one_error_of_ours_with_hydras_words(
    server: ScriptedServer, issuer: HydraIssuer, code: int, error: type[OperatorError]
) -> None:
    server.says(code, {"error": "invalid_scope", "error_description": "The scope is odd."})
    for method in METHODS.values():
        with pytest.raises(error, match=rf"{code} invalid_scope The scope is odd\."):
            await method(issuer)


@pytest.mark.parametrize("content", ["<html>login</html>", "", "[1]", "{}", "null", '[{"owner": 1}]', b"\xff\xfe{"])
@pytest.mark.parametrize("code", [200, 404, 500])
async def test_an_answer_that_hydra_would_not_give_is_no_success(
    server: ScriptedServer, issuer: HydraIssuer, code: int, content: str | bytes
) -> None:
    server.says(code, content)
    for method in METHODS.values():
        with pytest.raises(IssuerUnavailable):
            await method(issuer)


@pytest.mark.parametrize("hangs", ["before", "within"])
async def test_no_request_waits_longer_than_its_time_limit(server: ScriptedServer, hangs: str) -> None:
    server.hangs = hangs
    limit = timedelta(milliseconds=50)
    async with HydraIssuer(admin_url=server.url, public_url=server.url, time_limit=limit) as issuer:
        for method in METHODS.values():
            with pytest.raises(IssuerUnavailable, match="time limit"):
                await method(issuer)


async def test_a_client_gone_between_look_and_write_is_tried_again_later(
    server: ScriptedServer, issuer: HydraIssuer
) -> None:
    server.says(200, STORED)
    server.says(404, ABSENT)
    with pytest.raises(IssuerUnavailable):
        await issuer.put(KEY, PASSWORD)


async def test_a_client_made_between_look_and_write_is_tried_again_later(
    server: ScriptedServer, issuer: HydraIssuer
) -> None:
    server.says(404, ABSENT)
    server.says(409, {"error": "exists already", "error_description": ""})
    with pytest.raises(IssuerUnavailable):
        await issuer.put(KEY, PASSWORD)


async def test_a_new_client_is_posted_whole(server: ScriptedServer, issuer: HydraIssuer) -> None:
    server.says(404, ABSENT)
    server.says(201, STORED)
    await issuer.put(KEY, PASSWORD)
    look, write = server.requests
    assert (look.method, look.path) == ("GET", f"/admin/clients/{KEY.client_id}")
    assert (write.method, write.path) == ("POST", "/admin/clients")
    assert write.json == CLIENT | {"client_secret": PASSWORD.get_secret_value()}


async def test_an_existing_client_is_put_whole_and_keeps_its_secret(
    server: ScriptedServer, issuer: HydraIssuer
) -> None:
    server.says(200, STORED | {"scope": "something else"})
    await issuer.put(KEY, None)
    _, write = server.requests
    assert (write.method, write.path) == ("PUT", f"/admin/clients/{KEY.client_id}")
    assert write.json == CLIENT


async def test_keys_are_read_page_by_page_until_a_page_is_short(server: ScriptedServer, issuer: HydraIssuer) -> None:
    pages = [[STORED | {"client_id": f"x-{page}-{n}"} for n in range(100)] for page in range(2)]
    server.says(200, pages[0])
    server.says(200, [*pages[1][:-1], STORED | {"owner": "another"}])
    server.says(200, [])
    server.link = '</admin/clients?owner=6f1c1d3e-uid&page_size=100&page_token=abc>; rel="next"'
    assert len(await issuer.keys(KEY.grant_uid)) == 199
    first, second, third = [request.query for request in server.requests]
    assert first == {"owner": KEY.grant_uid, "page_size": "100"}
    assert second == third == {"owner": KEY.grant_uid, "page_size": "100", "page_token": "abc"}


async def test_a_key_is_read_as_it_was_put(server: ScriptedServer, issuer: HydraIssuer) -> None:
    server.says(200, [STORED])
    assert await issuer.keys(KEY.grant_uid) == (KEY,)


async def test_the_key_set_is_public_sorted_and_without_shared_keys(
    server: ScriptedServer, issuer: HydraIssuer
) -> None:
    private = {"d": "x", "p": "x", "q": "x", "dp": "x", "dq": "x", "qi": "x"}
    rsa = {"kty": "RSA", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB"}
    curve = {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "x": "AA", "y": "AA", "kid": "a"}
    shared = {"kty": "oct", "k": "x", "kid": "c"}
    server.says(200, {"keys": [{**rsa, **private, "kid": "b"}, shared, {**curve, "d": "x"}]})
    text = await issuer.jwks()
    assert json.loads(text) == {"keys": [curve, {**rsa, "kid": "b"}]}
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert server.requests[0].path == "/.well-known/jwks.json"


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "k": "x", "kid": "c"}]])
async def test_a_key_set_that_verifies_nothing_is_none(
    server: ScriptedServer, issuer: HydraIssuer, keys: list[dict[str, str]]
) -> None:
    server.says(200, {"keys": keys})
    with pytest.raises(IssuerUnavailable):
        await issuer.jwks()


@pytest.mark.parametrize("code", [200, 400, 409, 500])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"error": "ECHO", "error_description": "ECHO"}, id="in an error"),
        pytest.param("ECHO", id="bare"),
    ],
)
async def test_no_secret_is_ever_shown_even_if_the_answer_cites_it(
    server: ScriptedServer, issuer: HydraIssuer, caplog: pytest.LogCaptureFixture, code: int, answer: object
) -> None:
    caplog.set_level(logging.DEBUG)
    for look in ((404, ABSENT), (200, STORED)):
        server.now_says(*look)
        server.says(code, answer)
        with pytest.raises(OperatorError) as raised:
            await issuer.put(KEY, PASSWORD)
        assert PASSWORD.get_secret_value() in server.requests[-1].body
        assert PASSWORD.get_secret_value() not in shown(raised.value, caplog)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_authority_that_cannot_be_read_is_said(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.crt"
    if content:
        path.write_text(content)
    with pytest.raises(IssuerUnavailable, match=r"ca\.crt"):
        await HydraIssuer(admin_url="https://a", public_url="https://a", ca_file=path).__aenter__()


async def test_proxies_of_the_environment_are_not_asked(
    server: ScriptedServer, issuer: HydraIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.says(200, [])
    assert await issuer.keys(KEY.grant_uid) == ()


@pytest.mark.parametrize("code", [400, 404, 409, 500])
async def test_a_signing_key_that_is_refused_is_never_cited(
    server: ScriptedServer, issuer: HydraIssuer, code: int
) -> None:
    server.says(code, {"error": "bad", "error_description": "d is wrong: c2VjcmV0"})
    with pytest.raises(IssuerUnavailable) as refused:
        await issuer.put_signing_key("some", {"kid": "a", "d": "c2VjcmV0"})
    assert str(refused.value) == f"the issuer answers {code} to a new key of its set some"


async def test_a_key_in_two_sets_of_the_issuer_is_published_once(server: ScriptedServer, issuer: HydraIssuer) -> None:
    second, first = ({"kty": "RSA", "kid": kid, "n": "0vx7", "e": "AQAB"} for kid in ("b", "a"))
    server.says(200, {"keys": [second, first, second]})
    assert json.loads(await issuer.jwks()) == {"keys": [first, second]}
