"""Attacks on the gateway: each is answered as it should be, and none reaches a backend that it must not reach."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from conecta_operator.api.objects import Manifest
from infra.gateway import client_traffic
from infra.settings import ClientAddressSettings
from sandbox.layout import Layout
from sandbox.ports import GATEWAY
from tests.support.application import TOKEN_PATH, Application, Gateway, key_in
from tests.support.attack_rows import FRAMES, PATHS, PLACES, SPOOFED, Attack, params
from tests.support.forged_tokens import FORGERIES, SCOPES, Forge
from tests.support.kubectl import agency_namespace, apply, eventually, kubectl, wait_ready
from tests.support.raw_http import NO_ANSWER, RawGateway, status_of
from tests.support.recording_backend import Received, RecordingBackend, recording_backend
from tests.support.tokens import IssuerAdmin, claims_of

CALL = "/api-alvo/v1/x"
FAR_AWAY = "203.0.113.0/24"


@dataclass
class Stage:
    """Three APIs on one backend, receivers of two of them, and who attacks."""

    gateway: Gateway
    raw: RawGateway
    backend: RecordingBackend
    provider: str
    receiver: str
    token: str = ""

    def application(self, grant: str) -> Application:
        return Application(self.gateway, key_in(self.receiver, f"{grant}-conecta"))

    @contextlib.contextmanager
    def seen(self) -> Iterator[list[Received]]:
        """What the backend sees during the block; complete when the block has ended."""
        before, seen = len(self.backend.received), list[Received]()
        yield seen
        seen += self.backend.received[before:]

    def status(self, token: str, path: str = CALL) -> int:
        """The status of a plain call."""
        return self.gateway.request("GET", path, headers={"authorization": f"Bearer {token}"}).status


def an_api(namespace: str, name: str, url: str) -> Manifest:
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaApi",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "title": name,
            "version": "v1",
            "contacts": [{"name": "Alvo", "email": "alvo@alvo.example"}],
            "backend": {"url": url, "tls": {"caCertificateRef": {"name": "kube-root-ca.crt"}}},
            "access": {"approval": "Automatic"},
        },
    }


def a_grant(namespace: str, name: str, provider: str, api: str, **spec: object) -> Manifest:
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaGrant",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"apiRef": {"namespace": provider, "name": api}, "application": {"name": name}, **spec},
    }


@pytest.fixture(scope="module")
def stage(platform: Layout, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """APIs `alvo` (granted), `alvo2` (granted to another) and `vizinho` (granted to nobody); a grant for far away."""
    raw = RawGateway(GATEWAY, platform.ca_file)
    with (
        recording_backend(platform, "alvo.localhost", tmp_path_factory.mktemp("backend")) as backend,
        agency_namespace("atacado") as provider,
        agency_namespace("atacante") as receiver,
    ):
        apis = ["alvo", "alvo2", "vizinho"]
        grants = {"alvo": "alvo", "alvo2": "alvo2", "longe": "alvo"}
        apply(
            *(an_api(provider, name, f"{backend.url}/{name}") for name in apis),
            a_grant(receiver, "alvo", provider, "alvo"),
            a_grant(receiver, "alvo2", provider, "alvo2"),
            a_grant(receiver, "longe", provider, "alvo", sourceRanges=[FAR_AWAY]),
        )
        for name in apis:
            wait_ready("conectaapi", provider, name, seconds=40)
        for name in grants:
            wait_ready("conectagrant", receiver, name, seconds=40)
        stage = Stage(gateway, raw, backend, provider, receiver)
        stage.token = stage.application("alvo").token()
        eventually(lambda: stage.status(stage.token) == 200)
        eventually(lambda: stage.status(stage.application("longe").token()) == 403)
        yield stage
        for name in grants:
            kubectl("delete", "conectagrant", name, "-n", receiver, "--ignore-not-found", "--timeout=30s")


@pytest.fixture(scope="module")
def forge(stage: Stage, issuer: IssuerAdmin) -> Forge:
    """A forger's workshop."""
    forge = Forge(stage.token, claims_of(stage.token), *issuer.signing_key())
    assert stage.status(forge.signed()) == 200, "what the forge leaves as it was must work"
    return forge


@pytest.mark.parametrize("words", FORGERIES)
def test_a_forged_token_is_refused(stage: Stage, forge: Forge, words: str) -> None:
    with stage.seen() as seen:
        status = stage.status(FORGERIES[words](forge))
    assert (status, seen) == (401, [])


@pytest.mark.parametrize("words", SCOPES)
def test_a_token_of_other_scopes_opens_nothing(stage: Stage, forge: Forge, words: str) -> None:
    """Not even with the issuer's signature: whoever asked for it."""
    scope, *others = forge.claims["scp"]
    (uid,) = (other for other in others if other.startswith("api:"))
    scopes = [*SCOPES[words](scope, uid), *(other for other in others if other != uid)]
    with stage.seen() as seen:
        status = stage.status(forge.signed({"scope": " ".join(scopes), "scp": scopes}))
    assert (status, seen) == (403, [])


@pytest.mark.parametrize("row", params([*PLACES, *PATHS, *FRAMES]))
def test_an_attack_is_answered_and_goes_no_further_than_it_may(stage: Stage, row: Attack) -> None:
    with stage.seen() as seen:
        status = stage.raw.send(row.request(stage.token))
    assert (status, tuple(request.target for request in seen)) == (row.status, row.reaches)


@pytest.mark.parametrize("target", ["alvo.localhost:443", "127.0.0.1:4445"], ids=["the backend", "the issuer"])
def test_a_tunnel_is_never_opened(stage: Stage, target: str) -> None:
    """The gateway waits for the end of the request, which a CONNECT has not, until its time is up."""
    request = f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\nauthorization: Bearer {stage.token}\r\n\r\n"
    with stage.seen() as seen, stage.raw.connection() as stream:
        stream.settimeout(1)
        stream.sendall(request.encode() + b"GET /alvo/x HTTP/1.1\r\nhost: alvo.localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            stream.recv(1)
    assert seen == []


@pytest.mark.parametrize("header", SPOOFED)
def test_a_header_that_is_not_the_clients_to_set_never_reaches_the_backend(stage: Stage, header: str) -> None:
    said = "mentira"
    with stage.seen() as seen:
        answer = stage.gateway.request("GET", CALL, headers={"authorization": f"Bearer {stage.token}", header: said})
    assert answer.status == 200
    assert [value for request in seen for value in request.values(header) if said in value] == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("x-a: b\nx-conecta-client: mentira", id="after a line feed"),
        pytest.param("x-a: b\rx-conecta-client: mentira", id="after a carriage return"),
        pytest.param("x-a: b\r\n x-conecta-client: mentira", id="in a folded line"),
        pytest.param("connection: x-a\r\nx-a: b\r\nx-conecta-client: mentira", id="behind a connection header"),
        pytest.param("transfer-encoding: chunked\r\ntrailer: x-conecta-client", id="in a trailer"),
    ],
)
def test_no_header_of_ours_is_smuggled_in(stage: Stage, line: str) -> None:
    lines = (
        f"POST {CALL} HTTP/1.1",
        "host: localhost:10443",
        "authorization: Bearer {token}",
        line,
        "connection: close",
    )
    body = b"0\r\nx-conecta-client: mentira\r\n\r\n" if "chunked" in line else b""
    with stage.seen() as seen:
        stage.raw.send(Attack("", 0, lines, body).request(stage.token))
    for request in seen:
        starts = request.head.replace(b"\r", b"\n").split(b"\n")
        assert [start for start in starts if start.lower().startswith(b"x-conecta-client")] == []


def test_the_address_that_a_client_claims_stands_before_the_one_that_is_so(stage: Stage) -> None:
    headers = {"authorization": f"Bearer {stage.token}", "x-forwarded-for": "203.0.113.7"}
    with stage.seen() as seen:
        stage.gateway.request("GET", CALL, headers=headers)
    assert [request.values("x-forwarded-for")[-1].split(",")[-1].strip() for request in seen] == ["127.0.0.1"]


@pytest.mark.parametrize("claimed", ["x-forwarded-for", "x-real-ip", "forwarded", "x-envoy-external-address"])
def test_an_address_that_is_only_claimed_opens_no_grant_of_far_away(stage: Stage, claimed: str) -> None:
    token = stage.application("longe").token()
    value = "for=203.0.113.7" if claimed == "forwarded" else "203.0.113.7"
    with stage.seen() as seen:
        answer = stage.gateway.request("GET", CALL, headers={"authorization": f"Bearer {token}", claimed: value})
    assert (answer.status, seen) == (403, [])


def test_a_token_for_an_api_opens_none_whose_name_begins_or_ends_alike(stage: Stage) -> None:
    other = stage.application("alvo2").token()
    with stage.seen() as seen:
        assert stage.status(stage.token, "/api-alvo2/v1/x") == 403
        assert stage.status(other, CALL) == 403
        assert stage.status(other, "/api-alvo2/v1/x") == 200
    assert [request.target for request in seen] == ["/alvo2/x"]


@pytest.mark.parametrize("asked", ["{provider}/alvo2", "{provider}/vizinho", "{provider}/alvo {provider}/vizinho", "*"])
def test_the_issuer_grants_no_scope_of_another_api(stage: Stage, asked: str) -> None:
    application = stage.application("alvo")
    scope = asked.format(provider=stage.provider)
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = stage.gateway.token_answer(form, {"authorization": application.key.basic})
    granted = answer.json().get("scope", "").split()
    assert answer.status == 200 or answer.json()["error"] == "invalid_scope"
    assert set(granted) & set(scope.split()) <= {f"{stage.provider}/alvo"}


def _asked_for(scope: str, way: str) -> tuple[str, str, str]:
    """The path, the content type and the body by which a scope is asked for."""
    grant_type = "grant_type=client_credentials"
    asked = urlencode({"scope": scope})
    fields = {"grant_type": "client_credentials", "scope": scope}
    parts = (f'--b\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields)
    form = "application/x-www-form-urlencoded"
    return {
        "form": (TOKEN_PATH, form, f"{grant_type}&{asked}"),
        "long form": (TOKEN_PATH, form, f"{grant_type}&{asked}&x={'x' * 9000}"),
        "encoded name": (TOKEN_PATH, form, f"{grant_type}&{asked.replace('scope', '%73cope')}"),
        "twice": (TOKEN_PATH, form, f"{grant_type}&{asked}&{asked}"),
        "form in another case": (TOKEN_PATH, form.upper(), f"{grant_type}&{asked}"),
        "multipart": (TOKEN_PATH, "multipart/form-data; boundary=b", "".join(parts) + "--b--\r\n"),
        "query": (f"{TOKEN_PATH}?{asked}", form, grant_type),
    }[way]


@pytest.mark.parametrize(
    "way", ["form", "long form", "encoded name", "twice", "form in another case", "multipart", "query"]
)
def test_a_narrow_scope_leads_around_no_rule_of_the_grant(stage: Stage, way: str) -> None:
    """A token asked for with the API's scope alone is worth no more than one with all of the grant's."""
    path, content_type, body = _asked_for(f"{stage.provider}/alvo", way)
    headers = {"authorization": stage.application("longe").key.basic, "content-type": content_type}
    answer = stage.gateway.request("POST", path, headers=headers, body=body)
    token = answer.json().get("access_token", "") if answer.status == 200 else ""
    with stage.seen() as seen:
        status = stage.status(token) if token else 403
    assert (status, seen) == (403, []), claims_of(token)["scope"]


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"grant_type": "password", "username": "a", "password": "b"}, id="a password"),
        pytest.param({"grant_type": "refresh_token", "refresh_token": "x"}, id="a refresh token"),
        pytest.param({"grant_type": "authorization_code", "code": "x"}, id="an authorization code"),
        pytest.param({"grant_type": "client_credentials", "audience": "https://evil.example"}, id="another audience"),
        pytest.param({"scope": "*"}, id="no grant type"),
    ],
)
def test_the_issuer_gives_tokens_for_a_clients_credentials_only(stage: Stage, form: dict[str, str]) -> None:
    answer = stage.gateway.token_answer(form, {"authorization": stage.application("alvo").key.basic})
    assert answer.status == 400
    assert "access_token" not in answer.json()


def test_credentials_in_the_query_get_no_token(stage: Stage) -> None:
    key = stage.application("alvo").key
    query = urlencode({"grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.secret})
    for body in ("", "grant_type=client_credentials"):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = stage.gateway.request("POST", f"{TOKEN_PATH}?{query}", headers=headers, body=body)
        assert answer.status in {400, 401}
        assert "access_token" not in answer.json()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_the_tokens_path_takes_post_only(stage: Stage, method: str) -> None:
    assert stage.gateway.request(method, TOKEN_PATH).status in {404, 405}


@pytest.mark.parametrize("end", ["suspended", "deleted"])
def test_a_token_of_a_grant_that_ended_opens_nothing(stage: Stage, end: str) -> None:
    name = f"{end}-{uuid.uuid4().hex[:6]}"
    apply(a_grant(stage.receiver, name, stage.provider, "alvo"))
    wait_ready("conectagrant", stage.receiver, name)
    application = stage.application(name)
    token = application.token()
    eventually(lambda: stage.status(token) == 200)
    where = [name, "-n", stage.receiver]
    if end == "suspended":
        kubectl("patch", "conectagrant", *where, "--type=merge", "-p", '{"spec":{"suspended":true}}')
    else:
        kubectl("delete", "conectagrant", *where, "--timeout=30s")
    eventually(lambda: stage.status(token) == 403, 10)
    form, basic = {"grant_type": "client_credentials"}, {"authorization": application.key.basic}
    eventually(lambda: stage.gateway.token_answer(form, basic).status in {400, 401}, 10)
    with stage.seen() as seen:
        statuses = {stage.raw.send(row.request(token)) for row in PATHS if row.reaches}
    assert (statuses, seen) == ({403}, [])
    kubectl("delete", "conectagrant", *where, "--ignore-not-found", "--timeout=30s")


def test_who_is_slow_to_send_headers_reaches_nothing_and_hinders_nobody(stage: Stage) -> None:
    head = f"GET {CALL} HTTP/1.1\r\nhost: localhost:10443\r\nauthorization: Bearer {stage.token}\r\nx-slow: "
    with contextlib.ExitStack() as open_connections, stage.seen() as seen:
        for _ in range(50):
            open_connections.enter_context(stage.raw.connection()).sendall(head.encode())
        started = time.monotonic()
        assert stage.status(stage.token, f"{CALL}?fast") == 200
        assert time.monotonic() - started < 5
    assert [request.target for request in seen] == ["/alvo/x?fast"]


def test_who_is_slow_to_send_a_body_is_refused_before_it_when_there_is_no_token(stage: Stage) -> None:
    request = Attack("", 0, (f"POST {CALL} HTTP/1.1", "host: localhost:10443", "content-length: 1000")).request("")
    with stage.seen() as seen, stage.raw.connection() as stream:
        stream.sendall(request + b"slow")
        stream.settimeout(5)
        assert status_of(stream) == 401
    assert seen == []


def test_who_never_ends_a_body_hinders_nobody(stage: Stage) -> None:
    lines = (f"POST {CALL} HTTP/1.1", "host: localhost:10443", "authorization: Bearer {token}", "content-length: 1000")
    request = Attack("", 0, lines).request(stage.token)
    with contextlib.ExitStack() as open_connections, stage.seen() as seen:
        for _ in range(50):
            open_connections.enter_context(stage.raw.connection()).sendall(request + b"slow")
        started = time.monotonic()
        assert stage.status(stage.token, f"{CALL}?fast") == 200
        assert time.monotonic() - started < 5
    assert [request.target for request in seen] == ["/alvo/x?fast"]


def test_who_does_not_send_a_body_in_time_is_told_so(stage: Stage, treating_clients: Callable[[Any], None]) -> None:
    """After a minute; here after two seconds."""
    spec = client_traffic(ClientAddressSettings())
    spec["timeout"]["http"]["requestReceivedTimeout"] = "2s"
    treating_clients(spec)
    lines = (f"POST {CALL} HTTP/1.1", "host: localhost:10443", "authorization: Bearer {token}", "content-length: 1000")
    request = Attack("", 0, lines).request(stage.token)

    def status_of_a_slow_call() -> int:
        with stage.raw.connection() as stream:
            stream.sendall(request + b"slow")
            stream.settimeout(5)
            with contextlib.suppress(TimeoutError):
                return status_of(stream)
            return NO_ANSWER

    with stage.seen() as seen:
        eventually(lambda: status_of_a_slow_call() == 408, 30)
    assert seen == []


def test_at_last_nothing_has_come_that_no_test_had_seen(stage: Stage) -> None:
    """Late, or by another way: nothing for the neighbour, nothing that was hidden, nothing out of the APIs' paths."""
    paths = [request.target.partition("?")[0] for request in stage.backend.received]
    assert {path.split("/")[1] for path in paths} <= {"alvo", "alvo2"}
    assert [path for path in paths if path.endswith("contrabando")] == ["/alvo/contrabando"]
    assert stage.status(stage.token) == 200
