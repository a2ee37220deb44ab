"""What the gateway itself refuses: problem details; what others refuse: their own words."""

import http.client
import ssl
import time
import uuid
from collections.abc import Iterator

import pytest
import urllib3

from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN, GATEWAY
from tests.support.application import Application, Gateway
from tests.support.echo_backend import HOST, Echo, echo_backend
from tests.support.kubectl import eventually
from tests.support.published import Published, published
from tests.support.tokens import IssuerAdmin, claims_of, expired

CEP = "/api-cep/v1/consulta/cep/70040020"
LIMIT = 1024 * 1024


@pytest.fixture(scope="module")
def echo(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("echo")) as backend:
        yield backend


@pytest.fixture(scope="module")
def api(gateway: Gateway, echo: Echo) -> Iterator[Published]:
    with published(gateway, echo.url) as api:
        eventually(lambda: api.application.call("GET", api.path()).status == 200)
        yield api


@pytest.fixture(scope="module")
def lost(gateway: Gateway) -> Iterator[Published]:
    """An API whose backend is not there."""
    with published(gateway, f"https://{HOST}:1/") as api:
        yield api


def test_envoy_has_taken_all_that_it_was_told(platform: Layout) -> None:
    """A listener that it refuses goes unseen: the one before it stays, until Envoy is started again."""
    assert platform.state.is_dir()
    stats = urllib3.request("GET", f"http://127.0.0.1:{ENVOY_ADMIN}/stats?filter=update_rejected", timeout=5).data
    counts = dict(line.split(": ") for line in stats.decode().splitlines())
    assert counts["listener_manager.lds.update_rejected"] == "0"
    assert set(counts.values()) == {"0"}


def problem(answer: urllib3.BaseHTTPResponse, status: int, kind: str) -> str:
    """The detail of what must be a problem of this kind."""
    assert answer.status == status, answer.data
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail", "requestId"}
    assert (told["type"], told["status"]) == (f"{GATEWAY_URL}/problemas/{kind}", status)
    detail: str = told["detail"]
    assert "%" not in detail.replace("%2F", "").replace("%5C", "")
    return detail


def test_a_call_without_a_token_is_told_where_to_get_one(gateway: Gateway) -> None:
    answer = gateway.request("GET", CEP)
    assert "/oauth2/jwt-token" in problem(answer, 401, "nao-autenticado")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert uuid.UUID(answer.json()["requestId"]).version == 4


def test_an_expired_token_is_told_from_a_wrong_one(cep: Application, issuer: IssuerAdmin) -> None:
    old = cep.call("GET", CEP, token=issuer.sign(expired(claims_of(cep.token()))))
    assert "expirou" in problem(old, 401, "nao-autenticado")
    assert "não é válido" in problem(cep.call("GET", CEP, token="garbage"), 401, "nao-autenticado")


def test_a_call_to_another_api_is_told_from_where_it_came(cpf_light: Application) -> None:
    assert "sua chamada veio de 127.0.0.1." in problem(cpf_light.call("GET", CEP), 403, "acesso-negado")


def test_a_call_from_elsewhere_is_told_the_address_that_the_gateway_saw(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url, sourceRanges=["203.0.113.0/24"]) as api:
        eventually(lambda: api.application.call("GET", api.path()).status == 403)
        detail = problem(api.application.call("GET", api.path("elsewhere")), 403, "acesso-negado")
    assert "sua chamada veio de 127.0.0.1." in detail
    assert "/elsewhere" not in echo.received


def test_an_unknown_path_is_told_how_paths_begin(gateway: Gateway) -> None:
    assert "/api-" in problem(gateway.request("GET", "/api-unknown/v1/x"), 404, "nao-encontrado")


def test_the_token_endpoint_takes_post_only(gateway: Gateway) -> None:
    answer = gateway.request("GET", "/oauth2/jwt-token")
    problem(answer, 405, "metodo-nao-permitido")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencodedx", None])
def test_the_token_endpoint_takes_forms_only(gateway: Gateway, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = gateway.request("POST", "/oauth2/jwt-token", headers=headers, body=b"grant_type=client_credentials")
    problem(answer, 415, "formato-nao-aceito")
    assert answer.headers["accept"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "kind", ["Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded ;charset=UTF-8"]
)
def test_a_form_is_one_however_its_type_is_written(cep: Application, kind: str) -> None:
    headers = {"content-type": kind, "authorization": cep.key.basic}
    answer = cep.gateway.request("POST", "/oauth2/jwt-token", headers=headers, body=b"grant_type=client_credentials")
    assert answer.status == 200, answer.data


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        pytest.param("/api-cep%2fv1/x", {}, "codificadas", id="an encoded slash"),
        pytest.param("/api-cep/v1/x", {"a_b": "c"}, "sublinhado", id="an underscore in a header's name"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(
    gateway: Gateway, path: str, headers: dict[str, str], told: str
) -> None:
    assert told in problem(gateway.request("GET", path, headers=headers), 400, "requisicao-invalida")


def test_what_is_no_http_is_refused_with_a_problem(platform: Layout) -> None:
    context = ssl.create_default_context(cafile=str(platform.ca_file))
    connection = http.client.HTTPSConnection("localhost", GATEWAY, context=context, timeout=10)
    connection.putrequest("GET", "/x", skip_accept_encoding=True)
    connection.putheader("content-length", "many")
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (400, "application/problem+json")
    connection.close()


def test_a_body_up_to_the_limit_reaches_the_backend_and_a_longer_one_never(api: Published, echo: Echo) -> None:
    headers = {"authorization": f"Bearer {api.application.token()}"}
    gateway = api.application.gateway
    fits = gateway.request("POST", api.path("fits"), headers=headers, body=b"x" * LIMIT)
    assert (fits.status, fits.json()["length"]) == (200, LIMIT)
    answer = gateway.request("POST", api.path("long"), headers=headers, body=b"x" * (LIMIT + 1))
    problem(answer, 413, "corpo-grande-demais")
    assert "/long" not in echo.received


def test_headers_without_end_are_refused(gateway: Gateway) -> None:
    answer = gateway.request("GET", CEP, headers={"x-long": "x" * 100_000})
    problem(answer, 431, "cabecalhos-grandes-demais")


def test_a_backend_that_speaks_no_http_is_a_bad_gateway(api: Published) -> None:
    problem(api.application.call("GET", api.path("garbage")), 502, "resposta-invalida")


def test_a_backend_that_is_away_is_unavailable(lost: Published) -> None:
    problem(lost.application.call("GET", lost.path()), 503, "api-indisponivel")


def test_a_backend_that_does_not_answer_is_a_timeout(api: Published) -> None:
    headers = {"authorization": f"Bearer {api.application.token()}"}
    patient = Gateway(GATEWAY_URL, Layout().ca_file, timeout=40)
    started = time.monotonic()
    problem(patient.request("GET", api.path("slow"), headers=headers), 504, "tempo-esgotado")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 429, 500, 502, 503, 504])
def test_a_backends_own_error_passes_untouched(api: Published, status: int) -> None:
    answer = api.application.call("GET", api.path(f"status/{status}"))
    assert (answer.status, answer.json()) == (status, {"erro": "do backend"})
    assert answer.headers["content-type"] == "application/json"


def test_the_issuers_own_errors_stay_oauth(gateway: Gateway) -> None:
    answer = gateway.token_answer({"grant_type": "password"})
    assert answer.status in {400, 401}
    assert answer.headers["content-type"].startswith("application/json")
    assert {"error", "error_description"} <= set(answer.json())


def test_the_type_of_a_problem_leads_to_its_page(gateway: Gateway) -> None:
    told = gateway.request("GET", "/api-unknown/v1/x").json()
    page = gateway.request("GET", told["type"].removeprefix(GATEWAY_URL))
    assert page.status == 200
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert page.data.decode().startswith(f"# {told['title']}\n")
