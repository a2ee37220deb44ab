"""Names that the operator makes up."""

import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import BACKEND, CONECTA_API, NETWORK_POLICY, ObjectKey
from conecta_operator.plan import naming
from tests.support import api_rows
from tests.support.changes import but

API = ConectaApi.parse(
    {
        "metadata": {
            "name": "cep",
            "namespace": "receita",
            "uid": "6f1c0000-aaaa-4bbb-8ccc-000000000001",
            "resourceVersion": "1",
            "creationTimestamp": "2026-11-20T00:00:00Z",
        },
        "spec": {
            "title": "CEP",
            "version": "v1",
            "contacts": [{"name": "CEP", "email": "cep@receita.example"}],
            "backend": {"url": "https://cep.receita.example"},
        },
    }
)
GRANT = ConectaGrant.parse(
    {
        "metadata": {
            "name": "agendamento-cep",
            "namespace": "saude",
            "uid": "a1b2c3d4-0000-4000-8000-000000000009",
            "resourceVersion": "1",
            "creationTimestamp": "2026-11-20T00:00:00Z",
        },
        "spec": {"apiRef": {"namespace": "receita", "name": "cep"}, "application": {"name": "agendamento"}},
    }
)


@given(st.integers(min_value=1, max_value=10**8))
def test_a_key_number_survives_the_client_id(number: int) -> None:
    assert naming.key_number(GRANT, naming.client_id("saude", GRANT, number)) == number


@pytest.mark.parametrize(
    "client_id",
    ["saude-agendamento-ffffffff-1", "saude-agendamento-a1b2c3d4-0", "saude-agendamento-a1b2c3d4-", "a1b2c3d4-1", ""],
)
def test_a_client_id_of_another_grant_has_no_number(client_id: str) -> None:
    assert naming.key_number(GRANT, client_id) is None


def test_the_last_number_counts_only_the_grants_own_keys() -> None:
    assert naming.last_key_number(GRANT, ["saude-x-a1b2c3d4-3", "saude-x-ffffffff-9", "saude-x-a1b2c3d4-12"]) == 12
    assert naming.last_key_number(GRANT, []) == 0


def test_the_scopes_say_what_is_called_on_which_plan_and_by_whom() -> None:
    assert naming.scopes(GRANT, API, agency="saude", plan="básico") == (
        "receita/cep",
        "receita/cep:b%C3%A1sico",
        "plan:bc5b0686",
        "api:6f1c0000",
        "grant:a1b2c3d4",
        "agency:saude",
        "application:agendamento",
    )


def test_without_a_plan_no_scope_names_one() -> None:
    assert naming.scopes(GRANT, API, agency="saude", plan=None) == (
        "receita/cep",
        "api:6f1c0000",
        "grant:a1b2c3d4",
        "agency:saude",
        "application:agendamento",
    )


def test_an_api_demands_scopes_that_all_its_keys_have() -> None:
    assert {*naming.scopes_demanded(API)} <= {*naming.scopes(GRANT, API, agency="saude", plan=None)}


def test_a_plan_has_a_code_of_its_own_that_fits_into_an_annotations_name() -> None:
    codes = {naming.plan_code(plan) for plan in ("básico", "basico", "BÁSICO", "ç" * 50, "1 milhão/ano")}
    assert len(codes) == 5
    assert all(re.fullmatch("[0-9a-f]{8}", code) for code in codes)


@given(st.text())
def test_any_plan_makes_a_scope_token_of_rfc_6749_from_which_it_can_be_told(plan: str) -> None:
    scope = naming.plan_scope(API, plan)
    assert re.fullmatch(r"receita/cep:[A-Za-z0-9._~%-]*", scope)
    assert unquote(scope.removeprefix("receita/cep:")) == plan


PREFIX = st.from_regex(r"(/[A-Za-z0-9._~!$&'()*+,=:@-]+){1,9}", fullmatch=True).filter(lambda text: len(text) <= 200)


@given(PREFIX)
def test_the_name_of_a_rule_is_one_that_a_rule_can_have(prefix: str) -> None:
    assert re.fullmatch(r"call(-[a-z0-9]+)*-[0-9a-f]{8}", naming.rule_name(prefix))
    assert len(naming.rule_name(prefix)) <= 63


@given(st.lists(PREFIX, unique=True, max_size=8))
def test_two_prefixes_have_two_rules(prefixes: list[str]) -> None:
    assert len({naming.rule_name(prefix) for prefix in ("/", *prefixes)}) == len(prefixes) + 1


def test_the_name_of_a_rule_says_which_paths_it_is_for() -> None:
    assert naming.rule_name("/") == "call"
    assert naming.rule_name("/Consulta/CEP") == "call-consulta-cep-" + naming.rule_name("/Consulta/CEP")[-8:]
    assert naming.rule_name("/a/b") != naming.rule_name("/a-b") != naming.rule_name("/A/b")


@pytest.mark.parametrize("name", ["cep", "cep.055a7025"])
def test_what_was_written_for_an_api_is_found_by_its_name(name: str) -> None:
    assert naming.api_of_generated(ObjectKey(BACKEND, "receita", name)) == ObjectKey(CONECTA_API, "receita", "cep")


def test_one_place_has_one_backend_however_many_routes_lead_there() -> None:
    def named(**backend: Any) -> str:
        routes = [{"pathPrefix": "/a", "backend": {"url": "https://a.example/x", **backend}}]
        return naming.backend_name(_api(routes), _api(routes).spec.routes[0].backend)

    assert named() == named(weight=7, timeout="1s") == named(url="https://a.example/y")
    assert len({named(), named(url="https://a.example:8443/x"), named(tls={"caCertificateRef": {"name": "ca"}})}) == 3


def test_the_default_backend_has_the_name_of_its_api() -> None:
    api = _api([{"pathPrefix": "/", "backend": {"url": "https://servicos.receita.example"}}])
    assert naming.backend_name(api, api.spec.backend) == "cep"
    assert naming.backend_name(api, api.spec.routes[0].backend) != "cep"


def _api(routes: list[dict[str, Any]]) -> ConectaApi:
    spec = {
        "title": "CEP",
        "contacts": [{"name": "Equipe", "email": "cep@receita.example"}],
        "version": "v1",
        "backend": {"url": "https://servicos.receita.example"},
        "routes": routes,
    }
    metadata = {"name": "cep", "namespace": "receita", "uid": "u", "resourceVersion": "1"}
    return ConectaApi.parse({"metadata": {**metadata, "creationTimestamp": "2026-11-20T00:00:00Z"}, "spec": spec})


LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
WORDS = st.sampled_from(["backend", "workload", "to-backend", "from-workload", "cep"])
METADATA = {"uid": "a", "resourceVersion": "1", "creationTimestamp": "2026-11-20T00:00:00Z"}


@given(namespace=LABELS | WORDS, name=LABELS | WORDS, dotted=st.lists(LABELS | WORDS, min_size=1, max_size=3))
def test_the_owner_of_a_network_policy_is_known_by_its_place_and_name(
    namespace: str, name: str, dotted: list[str]
) -> None:
    """Whatever the names of APIs and grants: these may have dots, and may look like a purpose."""
    metadata = {**METADATA, "namespace": namespace, "name": name}
    services = [{"service": {"name": service, "port": 80}} for service in (name, "backend", "to-backend", name)]
    routes = [{"pathPrefix": "/", "backend": backend} for backend in services]
    changes = {"metadata": metadata, "spec.backend": services[0], "spec.routes": routes}
    api = ConectaApi.parse(but(api_rows.API, changes))
    metadata = {**METADATA, "namespace": namespace, "name": ".".join(dotted)}
    grant = ConectaGrant.parse({"metadata": metadata, "spec": GRANT.spec.model_dump(by_alias=True)})
    assert {naming.owner_of_network_policy(key) for key in naming.network_policies_of_api(api, "gw")} == {api.key}
    assert {naming.owner_of_network_policy(key) for key in naming.network_policies_of_grant(grant, "gw")} == {grant.key}


@given(LABELS | WORDS, LABELS | WORDS)
def test_policies_of_an_api_and_of_a_grant_of_one_name_are_four(namespace: str, name: str) -> None:
    metadata = {**METADATA, "namespace": namespace, "name": name}
    backend = {"service": {"name": name, "port": 80}}
    api = ConectaApi.parse(but(api_rows.API, {"metadata": metadata, "spec.backend": backend}))
    grant = ConectaGrant.parse({"metadata": metadata, "spec": GRANT.spec.model_dump(by_alias=True)})
    assert len({*naming.network_policies_of_api(api, "gw"), *naming.network_policies_of_grant(grant, "gw")}) == 4


@pytest.mark.parametrize("name", ["conecta-default-deny", "backend", "cep", ".backend", "cep.to-backend", "to-backend"])
def test_a_policy_of_another_name_is_nobodys(name: str) -> None:
    assert naming.owner_of_network_policy(ObjectKey(NETWORK_POLICY, "receita", name)) is None
