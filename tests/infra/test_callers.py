"""The script that says who calls, run by a real Envoy. `x-conecta-scope` is what a verified token leaves there."""

from collections.abc import Iterator

import pytest

from infra.gateway import CALLERS
from sandbox.demo.cpf import from_base
from tests.support.scripted_envoy import Received, ScriptedEnvoy, scripted_envoy

NAMED = "receita/cep api:0a1b2c3d grant:7f1e2d3c agency:saude application:agendamento"
TOKEN = ("authorization", "Bearer a.b.c")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedEnvoy]:
    with scripted_envoy(tmp_path_factory.mktemp("g"), CALLERS.read_text(encoding="utf-8")) as running:
        yield running
        assert "script log" not in running.log.read_text(encoding="utf-8"), "an error of the script"


def passed_on(gateway: ScriptedEnvoy, *headers: tuple[str, str]) -> Received:
    return gateway.post(b"", headers)


def told(received: Received) -> list[list[str]]:
    return [received.values(f"x-conecta-{name}") for name in ("agency", "application", "grant")]


def test_a_call_bears_agency_application_and_grant_of_its_token(gateway: ScriptedEnvoy) -> None:
    received = passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED))
    assert told(received) == [["saude"], ["agendamento"], ["7f1e2d3c"]]


def test_the_token_goes_no_further(gateway: ScriptedEnvoy) -> None:
    assert passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED)).values("authorization") == []


@pytest.mark.parametrize(
    "scopes",
    [
        pytest.param("receita/cep agency:saude application:agendamento", id="no grant"),
        pytest.param("receita/cep grant:7f1e2d3c application:agendamento", id="no agency"),
        pytest.param("receita/cep grant:7f1e2d3c agency:saude", id="no application"),
        pytest.param(f"{NAMED} grant:00000000", id="two grants"),
        pytest.param(f"{NAMED} agency:fazenda", id="two agencies"),
        pytest.param(f"{NAMED} application:outra", id="two applications"),
        pytest.param(
            "receita/grant:x receita/agency:x receita/application:x", id="plans of APIs that are called like that"
        ),
        pytest.param("grant: agency: application:", id="names of nothing"),
        pytest.param("", id="no scopes"),
    ],
)
def test_a_token_that_does_not_name_one_of_each_names_nobody(gateway: ScriptedEnvoy, scopes: str) -> None:
    assert told(passed_on(gateway, TOKEN, ("x-conecta-scope", scopes))) == [[], [], []]


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param([], id="none"),
        pytest.param([TOKEN, TOKEN], id="two headers"),
        pytest.param([("authorization", "Bearer a.b.c,d")], id="two in one"),
        pytest.param([("authorization", "Basic Bearer a.b.c")], id="another scheme before it"),
        pytest.param([("authorization", "Bearer a.b.c x")], id="something after it"),
    ],
)
def test_a_token_that_might_be_read_in_two_ways_is_none(
    gateway: ScriptedEnvoy, authorization: list[tuple[str, str]]
) -> None:
    assert told(passed_on(gateway, *authorization, ("x-conecta-scope", NAMED))) == [[], [], []]


def test_without_a_verified_token_nothing_is_changed(gateway: ScriptedEnvoy) -> None:
    received = passed_on(gateway, ("authorization", "Basic YTpi"), ("x-a", "1"), ("x-a", "2"))
    assert (received.values("authorization"), received.values("x-a")) == (["Basic YTpi"], ["1", "2"])
    assert received.values("x-conecta-repeated") == []


def test_what_is_sent_more_than_once_is_listed(gateway: ScriptedEnvoy) -> None:
    twice = [("x-cpf-usuario", "1"), ("X-Orgao", "a"), ("x-cpf-usuario", "2"), ("x-orgao", "a"), ("x-once", "1")]
    received = passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED), *twice)
    assert received.values("x-conecta-repeated") == ["x-cpf-usuario,x-orgao"]
    assert received.values("x-cpf-usuario") == ["1", "2"]


def test_nothing_is_listed_of_a_call_that_sends_everything_once(gateway: ScriptedEnvoy) -> None:
    received = passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED), ("x-cpf-usuario", "1"))
    assert received.values("x-conecta-repeated") == []


@pytest.mark.parametrize(
    ("cpf", "told"),
    [
        pytest.param("11144477735", [], id="one of somebody's"),
        pytest.param("00000000191", [], id="one that begins with zeros"),
        pytest.param("52998224725", [], id="one with two check digits that differ"),
        pytest.param("10000000108", [], id="one whose first check digit is 10, thus 0"),
        pytest.param("11144477734", ["x-cpf-usuario"], id="a wrong last digit"),
        pytest.param("11144477745", ["x-cpf-usuario"], id="a wrong last digit but one"),
        pytest.param("11144477753", ["x-cpf-usuario"], id="the check digits in the wrong order"),
        pytest.param("1114447773", ["x-cpf-usuario"], id="ten digits"),
        pytest.param("111.444.777-35", ["x-cpf-usuario"], id="punctuation"),
        pytest.param("", ["x-cpf-usuario"], id="nothing"),
    ],
)
def test_a_cpf_that_can_be_nobodys_is_told_of_and_passed_on(gateway: ScriptedEnvoy, cpf: str, told: list[str]) -> None:
    received = passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED), ("x-cpf-usuario", cpf))
    assert received.values("x-conecta-malformed") == told
    assert received.values("x-cpf-usuario") == [cpf]


def test_of_a_hundred_numbers_with_the_same_beginning_one_is_a_cpf(gateway: ScriptedEnvoy) -> None:
    for base in ("123456789", "000000000", "999999999", "100000001"):
        numbers = [f"{base}{end:02}" for end in range(100)]
        told = {
            number: passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED), ("x-cpf-usuario", number))
            for number in numbers
        }
        assert [number for number in numbers if not told[number].values("x-conecta-malformed")] == [from_base(base)]


def test_nothing_is_told_of_the_cpf_of_a_call_that_bears_none(gateway: ScriptedEnvoy) -> None:
    assert passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED)).values("x-conecta-malformed") == []


def test_a_cpf_is_looked_at_whatever_else_is_sent_more_than_once(gateway: ScriptedEnvoy) -> None:
    sent = [("x-cpf-usuario", "11144477734"), ("x-outro", "1"), ("x-outro", "2")]
    received = passed_on(gateway, TOKEN, ("x-conecta-scope", NAMED), *sent)
    assert received.values("x-conecta-repeated") == ["x-outro"]
    assert received.values("x-conecta-malformed") == ["x-cpf-usuario"]
