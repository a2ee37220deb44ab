"""Which rule of its route takes a call, by the order in which Envoy Gateway sorts them."""

import re
from typing import Any

import pytest

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.demands import RESERVED_HEADER
from conecta_operator.plan.problems import header_repeated, retired
from conecta_operator.plan.refusals import refusals_of
from conecta_operator.plan.routing import calls_of, rules_of
from conecta_operator.render.contexts import RouteRule
from infra.gateway import HOP_BY_HOP_HEADERS, IDENTITY_HEADERS, IDENTITY_PREFIXES
from tests.support.api_rows import API
from tests.support.changes import but
from tests.support.worlds import PLATFORM

NOW = "2026-11-24T12:00:00Z"
HEADERS = [{"name": "x-orgao", "pattern": "[0-9]{5}"}, {"name": "x-motivo"}]
ROUTES = [
    {"pathPrefix": "/consulta", "backend": {"url": "https://novo.receita.example"}},
    {"pathPrefix": "/consulta/cep", "backend": {"url": "https://cep.receita.example"}},
]
GOOD = {"x-cpf-usuario": "11144477735", "x-orgao": "12345", "x-motivo": "a, b"}


def api(**spec: Any) -> ConectaApi:
    metadata = {"namespace": "receita", "uid": "6f1c0000-aaaa", "resourceVersion": "1", "generation": 1}
    changes = {f"metadata.{name}": value for name, value in metadata.items()}
    manifest = but(API, {**changes, "metadata.creationTimestamp": NOW})
    manifest["spec"].update(spec)
    return ConectaApi.parse(manifest)


def taken_by(some: ConectaApi, path: str, headers: dict[str, str]) -> str:
    """The name of the rule: longer paths come first, then more headers, then what stands first."""
    matches = [
        (len(match["path"]["value"]), len(match.get("headers", ())), rule, match)
        for rule in rules_of(some, some.metadata.creation_timestamp)
        for match in rule.matches
    ]
    for _, _, rule, match in sorted(matches, key=lambda entry: (-entry[0], -entry[1])):
        if fits(match, path, headers):
            return rule.name
    return ""


def fits(match: Any, path: str, headers: dict[str, str]) -> bool:
    prefix = match["path"]["value"]
    return (path == prefix or path.startswith(f"{prefix}/")) and all(
        header["name"] in headers and re.fullmatch(header["value"], headers[header["name"]])
        for header in match.get("headers", ())
    )


STRICT = api(request={"userCpf": "Required", "requiredHeaders": HEADERS}, routes=ROUTES)
LENIENT = api(request={"userCpf": "Optional", "requiredHeaders": HEADERS}, routes=ROUTES)


@pytest.mark.parametrize("path", ["/api-cep/v1", "/api-cep/v1/x", "/api-cep/v1/consulta/x", "/api-cep/v1/consulta/cep"])
@pytest.mark.parametrize(
    ("some", "changes", "rule"),
    [
        pytest.param(STRICT, {}, "call", id="all that is demanded"),
        pytest.param(STRICT, {"x-cpf-usuario": None}, "without-x-cpf-usuario", id="no CPF"),
        pytest.param(STRICT, {"x-cpf-usuario": "1"}, "without-x-cpf-usuario", id="a malformed CPF"),
        pytest.param(STRICT, {"x-conecta-malformed": "x-cpf-usuario"}, "without-x-cpf-usuario", id="a false CPF"),
        pytest.param(STRICT, {"x-orgao": None}, "without-x-orgao", id="no first header"),
        pytest.param(STRICT, {"x-orgao": "123456"}, "without-x-orgao", id="a malformed header"),
        pytest.param(STRICT, {"x-motivo": None}, "without-x-motivo", id="no second header"),
        pytest.param(STRICT, {"x-orgao": None, "x-motivo": None}, "without-x-orgao", id="the first that lacks is told"),
        pytest.param(STRICT, {"x-conecta-repeated": "x-orgao"}, "repeated", id="one repeated"),
        pytest.param(STRICT, {"x-conecta-repeated": "a,x-motivo,b"}, "repeated", id="one repeated among others"),
        pytest.param(STRICT, {"x-conecta-repeated": "x-orgao-b,a"}, "call", id="others repeated"),
        pytest.param(LENIENT, {}, "call", id="a CPF that needn't be there"),
        pytest.param(LENIENT, {"x-cpf-usuario": None}, "call", id="no CPF where none need be"),
        pytest.param(LENIENT, {"x-conecta-malformed": "x-cpf-usuario"}, "malformed-cpf", id="a malformed CPF if any"),
        pytest.param(LENIENT, {"x-conecta-repeated": "x-cpf-usuario"}, "repeated", id="a repeated CPF"),
    ],
)
def test_a_call_is_taken_by_the_rule_for_what_it_lacks(
    some: ConectaApi, changes: dict[str, str | None], rule: str, path: str
) -> None:
    headers = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    taken = taken_by(some, path, headers)
    assert (taken.startswith("call") and rule == "call") or taken == rule


def test_an_api_with_all_that_it_may_demand_and_route_has_as_many_rules_as_a_route_may() -> None:
    """Sixteen (Gateway API)."""
    routes = [{"pathPrefix": f"/{n}", "backend": {"url": "https://h.receita.example"}} for n in range(8)]
    headers = [{"name": f"x-{n}"} for n in range(5)]
    for demanded in ("Required", "Optional"):
        some = api(request={"userCpf": demanded, "requiredHeaders": headers}, routes=routes)
        assert len(rules_of(some, some.metadata.creation_timestamp)) == 16


def test_a_retired_api_keeps_the_names_of_its_rules_and_has_no_backends() -> None:
    some = api(lifecycle={"stage": "Retired"}, request={"userCpf": "Required"}, routes=ROUTES)
    rules = rules_of(some, some.metadata.creation_timestamp)
    assert [rule.name for rule in rules] == [rule.name for rule in calls_of(some)]
    assert [rule.backend_refs for rule in rules] == [()] * 3


def test_each_refusal_is_referred_to_by_its_rule() -> None:
    names = [refusal.name for refusal in refusals_of(STRICT, calls_of(STRICT))]
    assert referred(rules_of(STRICT, STRICT.metadata.creation_timestamp)) == [f"cep.{name}" for name in names]


def referred(rules: tuple[RouteRule, ...]) -> list[str]:
    filters = [entry for rule in rules for entry in rule.filters if entry["type"] == "ExtensionRef"]
    return [entry["extensionRef"]["name"] for entry in filters]


def test_no_header_can_be_demanded_that_the_gateway_takes_off() -> None:
    taken_off = {*IDENTITY_HEADERS, *HOP_BY_HOP_HEADERS, *(f"{prefix}any" for prefix in IDENTITY_PREFIXES)}
    assert [name for name in sorted(taken_off) if not re.fullmatch(RESERVED_HEADER, name)] == []


def test_what_a_provider_writes_is_no_format_of_envoys() -> None:
    """A wrong format would keep the gateway from every further change of any route."""
    some = api(lifecycle={"stage": "Retired", "successor": "https://h.example/%20%REQ(authorization)%"})
    body = retired(some).body(PLATFORM.gateway_url)
    assert "/%%20%%REQ(authorization)%%" in body
    assert "%" not in re.sub(r"%%|%REQ\(X-REQUEST-ID\)%", "", body)
    assert "%" not in header_repeated(STRICT).detail
