"""What an API demands of each call: without it the gateway answers 400, and the backend hears nothing."""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from sandbox.ports import GATEWAY
from tests.support.application import CPF, Application, Gateway
from tests.support.echo_backend import Echo, echo_backend
from tests.support.kubectl import eventually, kubectl
from tests.support.published import published
from tests.support.routed import Routed, backend

Headers = tuple[tuple[str, str], ...]

DEMANDS: Mapping[str, Any] = {
    "userCpf": "Required",
    "requiredHeaders": [{"name": "x-orgao", "pattern": "[0-9]{5}"}, {"name": "x-motivo"}],
}
GOOD: Headers = (("x-cpf-usuario", CPF), ("x-orgao", "12345"), ("x-motivo", "consulta, por lei"))


@pytest.fixture(scope="module")
def echo(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("echo")) as backend:
        yield backend


@pytest.fixture(scope="module")
def api(gateway: Gateway, echo: Echo) -> Iterator[Routed]:
    """One that demands three headers on two paths."""
    routes = [{"pathPrefix": "/consulta", "backend": backend(echo, "nova")}]
    with published(gateway, echo.url, api={"request": DEMANDS, "routes": routes}) as api:
        yield served(Routed(api), GOOD)


@pytest.fixture(scope="module")
def lenient(gateway: Gateway, echo: Echo) -> Iterator[Routed]:
    """One whose calls may do without a CPF."""
    with published(gateway, echo.url, api={"request": {"userCpf": "Optional"}}) as api:
        yield served(Routed(api), ())


@pytest.fixture(scope="module")
def indifferent(gateway: Gateway, echo: Echo) -> Iterator[Routed]:
    """One that demands nothing."""
    with published(gateway, echo.url) as api:
        yield served(Routed(api), ())


def served(api: Routed, headers: Headers) -> Routed:
    eventually(lambda: call(api, headers).status == 200)
    return api


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    kind: str
    json: Any


def call(api: Routed, headers: Headers, *, rest: str = "x", token: str | None = None) -> Answer:
    """A call with these headers, as often as they stand there."""
    context = ssl.create_default_context(cafile=str(Layout().ca_file))
    connection = http.client.HTTPSConnection("localhost", GATEWAY, context=context, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest("GET", api.api.path(rest))
        for name, value in (("authorization", f"Bearer {token or api.token}"), *headers):
            connection.putheader(name, value)
        connection.endheaders()
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.getheader("content-type", ""), json.loads(answer.read()))


def refused(api: Routed, echo: Echo, headers: Headers, *, rest: str = "x") -> str:
    """What a refusal says; the backend has not heard of the call."""
    before = len(echo.received)
    answer = call(api, headers, rest=rest)
    assert (answer.status, answer.kind) == (400, "application/problem+json"), answer.json
    assert set(answer.json) == {"type", "title", "status", "detail", "requestId"}
    assert answer.json["type"] == f"{GATEWAY_URL}/problemas/cabecalho-invalido"
    assert (answer.json["title"], answer.json["status"]) == ("Cabeçalho ausente ou inválido", 400)
    assert len(answer.json["requestId"]) == 36
    assert len(echo.received) == before
    return str(answer.json["detail"])


def without(name: str, *instead: tuple[str, str]) -> Headers:
    return (*(header for header in GOOD if header[0] != name), *instead)


def test_a_call_that_bears_all_that_is_demanded_passes_with_it(api: Routed) -> None:
    for rest, path in (("x", "/x"), ("consulta/y", "/nova/consulta/y")):
        answer = call(api, GOOD, rest=rest)
        assert (answer.status, answer.json["path"]) == (200, path)
        assert set(GOOD) <= {(name, value) for name, value in answer.json["headers"]}


@pytest.mark.parametrize("rest", ["x", "consulta/x"])
@pytest.mark.parametrize(
    "instead",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="an empty one"),
        pytest.param(["1114447773"], id="ten digits"),
        pytest.param(["111444777350"], id="twelve digits"),
        pytest.param(["111.444.777-35"], id="punctuation"),
        pytest.param(["1114447773x"], id="a letter"),
        pytest.param(["11144477734"], id="a wrong last check digit"),
        pytest.param(["11144477745"], id="a wrong first check digit"),
        pytest.param(["12345678901"], id="digits that follow each other"),
        pytest.param(["11144477735 00000000191"], id="two in one"),
        pytest.param(["11144477735,00000000191"], id="two as a list"),
        pytest.param(["11144477735", "00000000191"], id="two headers"),
        pytest.param(["11144477735", "x"], id="a good one, then a bad one"),
        pytest.param(["x", "11144477735"], id="a bad one, then a good one"),
        pytest.param(["11144477735", "11144477735"], id="the same twice"),
    ],
)
def test_a_cpf_that_is_missing_malformed_or_repeated_is_refused(
    api: Routed, echo: Echo, instead: list[str], rest: str
) -> None:
    headers = without("x-cpf-usuario", *(("x-cpf-usuario", value) for value in instead))
    assert "x-cpf-usuario" in refused(api, echo, headers, rest=rest)


@pytest.mark.parametrize(
    ("headers", "named", "not_named"),
    [
        pytest.param(without("x-orgao"), "x-orgao", "x-cpf-usuario", id="one is missing"),
        pytest.param(without("x-orgao", ("x-orgao", "1234")), "x-orgao", "x-cpf-usuario", id="one is malformed"),
        pytest.param(without("x-orgao", ("x-orgao", "123456")), "x-orgao", "x-motivo", id="one has more than it may"),
        pytest.param(without("x-motivo"), "x-motivo", "x-orgao", id="the last is missing"),
        pytest.param(without("x-motivo", ("x-motivo", "")), "x-motivo", "x-orgao", id="the last is empty"),
        pytest.param((*GOOD, ("x-motivo", "outro")), "x-motivo", "y", id="one that takes anything is sent twice"),
        pytest.param((*GOOD, ("X-Orgao", "12345")), "x-orgao", "y", id="one is sent twice in another spelling"),
        pytest.param((), "x-cpf-usuario", "x-orgao", id="nothing at all: the first is named"),
    ],
)
def test_a_refusal_names_the_header_that_is_wrong(
    api: Routed, echo: Echo, headers: Headers, named: str, not_named: str
) -> None:
    detail = refused(api, echo, headers, rest="consulta/x")
    assert named in detail
    assert not_named not in detail


def test_a_false_cpf_is_refused_beside_headers_that_are_sent_twice(api: Routed, lenient: Routed, echo: Echo) -> None:
    false = without("x-cpf-usuario", ("x-cpf-usuario", "11144477734"), ("x-outro", "1"), ("x-outro", "2"))
    for demanding in (api, lenient):
        assert "x-cpf-usuario" in refused(demanding, echo, false)


def test_headers_that_nobody_demands_may_be_sent_twice(api: Routed) -> None:
    answer = call(api, (*GOOD, ("x-outro", "1"), ("x-outro", "2")))
    assert answer.status == 200
    assert {("x-outro", "1"), ("x-outro", "2")} <= {(name, value) for name, value in answer.json["headers"]}


@pytest.mark.parametrize("name", ["x-conecta-repeated", "x-conecta-malformed"])
def test_a_client_can_not_say_what_is_wrong_with_its_call(api: Routed, name: str) -> None:
    assert call(api, (*GOOD, (name, "x-cpf-usuario"))).status == 200


def test_calls_that_fail_elsewhere_first_keep_their_own_status(api: Routed, indifferent: Routed) -> None:
    assert call(api, (), token="nonsense").status == 401
    assert call(api, (), token=indifferent.token).status == 403


def test_a_denied_key_is_refused_as_denied_whatever_it_sends(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url, api={"request": DEMANDS}) as denied:
        routed = served(Routed(denied), GOOD)
        kubectl("delete", "conectagrant", denied.name, "-n", denied.namespace, "--timeout=30s")
        assert (call(routed, ()).status, call(routed, GOOD).status) == (403, 403)


@pytest.mark.parametrize(
    ("values", "passes"),
    [
        pytest.param([], True, id="none"),
        pytest.param([CPF], True, id="one"),
        pytest.param([""], False, id="an empty one"),
        pytest.param(["111.444.777-35"], False, id="one with punctuation"),
        pytest.param(["1114447773"], False, id="one of ten digits"),
        pytest.param(["111444777350"], False, id="one of twelve digits"),
        pytest.param(["11144477734"], False, id="one with a wrong check digit"),
        pytest.param([CPF, CPF], False, id="one twice"),
        pytest.param([CPF, "x"], False, id="a good one, then a bad one"),
    ],
)
def test_a_cpf_that_may_be_left_out_is_one_all_the_same(
    lenient: Routed, echo: Echo, values: list[str], *, passes: bool
) -> None:
    headers = tuple(("x-cpf-usuario", value) for value in values)
    if passes:
        assert call(lenient, headers).status == 200
    else:
        assert "x-cpf-usuario" in refused(lenient, echo, headers)


def test_an_api_that_demands_nothing_gets_what_was_sent(indifferent: Routed) -> None:
    for sent in (("x-cpf-usuario", "111.444.777-35"), ("x-cpf-usuario", "x")), (("x-cpf-usuario", "11144477734"),):
        headers = {(name, value) for name, value in call(indifferent, sent).json["headers"]}
        assert set(sent) <= headers
        assert not {"x-conecta-malformed", "x-conecta-repeated"} & {name for name, _ in headers}


def test_what_is_demanded_can_be_changed(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url) as api:
        routed = served(Routed(api), ())
        routed.change(request={"userCpf": "Required"})
        eventually(lambda: call(routed, ()).status == 400)
        routed.change(request={"requiredHeaders": [{"name": "x-orgao"}]})
        eventually(lambda: call(routed, (("x-orgao", "1"),)).status == 200)
        assert "x-orgao" in refused(routed, echo, ())
        routed.change(request={})
        eventually(lambda: call(routed, ()).status == 200)
        left = kubectl("get", "httproutefilters", "-n", api.namespace, "-o", "name").stdout
    assert left == "", "what was said to refused calls goes with its rules"


def test_the_type_of_a_refusal_leads_to_its_page(gateway: Gateway) -> None:
    page = gateway.request("GET", "/problemas/cabecalho-invalido")
    assert page.data.decode().startswith("# Cabeçalho ausente ou inválido\n")


def test_the_demos_api_demands_a_cpf_as_the_programmes_does(cpf_light: Application) -> None:
    sent, path = {"listaCpf": [CPF]}, "/api-cpf-light/v2/consulta/cpf"
    assert cpf_light.call("POST", path, json_body=sent).status == 200
    assert cpf_light.call("POST", path, json_body=sent, headers={"x-cpf-usuario": "1"}).status == 400
