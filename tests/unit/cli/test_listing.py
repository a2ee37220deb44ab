"""`kubectl conecta grants` shows the grants that the caller may see."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from conecta_cli.decisions.grants import changed_terms, waits_for_decision
from conecta_cli.output.table import age, grants_table
from conecta_operator.api.objects import Manifest
from tests.unit.cli.conftest import Run, a_grant
from tests.unit.cli.stand_in import ApiServer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
APPROVED = {
    "decision": "Approved",
    "by": "maria@receita.example",
    "at": "2026-11-20T12:00:00Z",
    "terms": {
        "plan": "básico",
        "purpose": "Conferir endereços.",
        "application": "agendamento",
        "sourceRanges": ["203.0.113.0/24"],
        "validUntil": "2028-01-01T03:00:00Z",
    },
}


def stated(type_: str, status: str, reason: str) -> Manifest:
    return {"type": type_, "status": status, "reason": reason, "message": "", "observedGeneration": 1}


def some_grants() -> list[Manifest]:
    """One of each kind, in no order."""
    works, waits, denied, fresh = (a_grant(name) for name in ("works", "waits", "denied", "fresh"))
    works["status"] = {
        "approval": APPROVED,
        "conditions": [stated("Approved", "True", "Approved"), stated("Ready", "True", "Ready")],
    }
    waits["metadata"]["namespace"] = "fazenda"
    waits["spec"]["apiRef"] = {"namespace": "receita", "name": "cpf-light"}
    del waits["spec"]["plan"]
    waits["status"] = {"conditions": [stated("Approved", "False", "Pending"), stated("Ready", "False", "Pending")]}
    denied["status"] = {
        "approval": APPROVED | {"decision": "Denied"},
        "conditions": [stated("Approved", "False", "Pending"), stated("Ready", "False", "Pending")],
    }
    return [works, waits, fresh, denied]


@pytest.fixture
def grants(server: ApiServer) -> list[Manifest]:
    return [server.put("conectagrants", grant) for grant in some_grants()]


TABLE = """\
NAMESPACE   NAME     API                 APPLICATION   PLAN     APPROVAL   READY     REASON    AGE
saude       works    receita/cep         agendamento   básico   Approved   True      Ready     4d
fazenda     waits    receita/cpf-light   agendamento   <none>   Pending    False     Pending   4d
saude       fresh    receita/cep         agendamento   básico   Pending    Unknown   <none>    4d
saude       denied   receita/cep         agendamento   básico   Denied     False     Pending   4d"""


def test_the_table() -> None:
    assert grants_table(some_grants(), with_namespace=True, now=NOW) == TABLE


def test_the_table_of_one_namespace_leaves_it_out() -> None:
    assert grants_table(some_grants()[:1], with_namespace=False, now=NOW) == (
        "NAME    API           APPLICATION   PLAN     APPROVAL   READY   REASON   AGE\n"
        "works   receita/cep   agendamento   básico   Approved   True    Ready    4d"
    )


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172800, "2d")]
)
def test_an_age(seconds: int, shown: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == shown


@pytest.mark.usefixtures("grants")
def test_all_namespaces_are_listed_in_order(run: Run) -> None:
    ran = run("grants")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [
        ["fazenda", "waits"],
        ["saude", "denied"],
        ["saude", "fresh"],
        ["saude", "works"],
    ]


@pytest.mark.usefixtures("grants")
def test_pages_are_put_together(run: Run, server: ApiServer) -> None:
    server.page_size = 1
    assert len(run("grants").out.splitlines()) == 5


@pytest.mark.usefixtures("grants")
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("-n fazenda", "waits"),
        ("--api receita/cep", "denied fresh works"),
        ("--pending", "waits fresh"),
        ("--pending --api receita/cep", "fresh"),
    ],
)
def test_only_some(run: Run, options: str, names: str) -> None:
    ran = run("grants", *options.split(), "-o", "name")
    assert ran.out.split() == [f"conectagrant.conecta.gov.br/{name}" for name in names.split()]


@pytest.mark.usefixtures("grants")
def test_for_programs_it_is_a_list_as_kubectl_prints_it(run: Run) -> None:
    as_json, as_yaml = run("grants", "-o", "json"), run("grants", "-o", "yaml")
    listed = json.loads(as_json.out)
    assert listed == yaml.safe_load(as_yaml.out)
    assert (listed["kind"], listed["apiVersion"], len(listed["items"])) == ("List", "v1", 4)
    assert {item["kind"] for item in listed["items"]} == {"ConectaGrant"}
    assert all("managedFields" not in item["metadata"] for item in listed["items"])
    assert "básico" in as_yaml.out


def test_nothing_is_said_beside_an_empty_answer(run: Run) -> None:
    assert run("grants").err == "No resources found.\n"
    assert run("grants", "-n", "saude").err == "No resources found in saude namespace.\n"
    assert (run("grants", "-o", "name").out, run("grants", "-o", "name").err) == ("", "")
    assert json.loads(run("grants", "-o", "json").out)["items"] == []


@pytest.mark.usefixtures("grants")
class TestWithoutTheRightToListAll:
    def test_namespaces_of_agencies_are_tried_one_by_one(self, run: Run, server: ApiServer) -> None:
        """The answer says that it may not be all."""
        server.refused = {("list", "conectagrants", "")}
        for name in ("fazenda", "saude", "defesa"):
            server.put("namespaces", {"metadata": {"name": name}})
        server.refused.add(("list", "conectagrants", "defesa"))
        ran = run("grants", "-o", "name")
        assert len(ran.out.split()) == 4
        assert ran.err == "You may not list grants of all namespaces; these are of fazenda, saude.\n"
        assert {"labelSelector": ["conecta.gov.br/agency"]}.items() <= server.requests[1].query.items()

    def test_else_those_that_the_kubeconfig_names_for_the_same_user(self, run: Run, server: ApiServer) -> None:
        server.refused = {("list", "conectagrants", ""), ("list", "namespaces", "")}
        ran = run("grants", "-o", "name")
        assert len(ran.out.split()) == 4
        assert ran.err == "You may not list grants of all namespaces; these are of saude, fazenda.\n"

    def test_if_none_may_be_read_it_says_so(self, run: Run, server: ApiServer) -> None:
        server.refused = {("list", "conectagrants", "*"), ("list", "namespaces", "")}
        ran = run("grants")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("error: the API server says Forbidden: conectagrants is forbidden")
        assert ran.err.endswith("; name a namespace that you may read with -n\n")


def test_a_grant_waits_for_a_decision() -> None:
    """Undecided ones do, and approved ones that ask for more than somebody approved; others have been decided on."""
    grant = a_grant()
    assert waits_for_decision(grant)
    grant["status"] = {"approval": APPROVED}
    assert not waits_for_decision(grant)
    grant["spec"] |= {"plan": "avançado", "legalBasis": "Art7III"}
    assert changed_terms(grant) == ["legalBasis", "plan"]
    assert waits_for_decision(grant)
    grant["status"] = {"approval": APPROVED | {"rule": "access.approval"}}
    assert not waits_for_decision(grant), "the operator renews what a rule has approved"
    grant["status"] = {"approval": {"decision": "Denied", "by": "maria", "at": "2026-11-20T12:00:00Z"}}
    assert not waits_for_decision(grant)


def test_terms_that_mean_the_same_are_no_change() -> None:
    grant = a_grant()
    grant["spec"]["sourceRanges"] = []
    grant["status"] = {"approval": {**APPROVED, "terms": {**APPROVED["terms"], "sourceRanges": []}}}  # type: ignore[dict-item]
    assert changed_terms(grant) == []
    del grant["spec"]["sourceRanges"]
    assert changed_terms(grant) == []
