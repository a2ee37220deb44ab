"""Whom a change of any watched object concerns."""

from typing import Any

import pytest

from conecta_operator.api.objects import SECRET, Kind, Manifest, ObjectKey
from conecta_operator.plan import reads
from conecta_operator.reconcile.mapping import WATCHED, Change, Happened, concerned, shown_to_grants
from tests.unit.reconcile.stand_ins import (
    ListedLandscape,
    api_key,
    api_manifest,
    being_deleted,
    grant_key,
    grant_manifest,
)

REVOKING = {
    "conditions": [
        {
            "type": "CredentialsReady",
            "status": "False",
            "reason": "Revoking",
            "message": "Waiting.",
            "observedGeneration": 1,
        }
    ]
}
CEP = api_manifest("cep", backend={"service": {"name": "cep", "port": 80}})
CPF = api_manifest(
    "cpf-light",
    backend={"url": "https://cpf.receita.example", "tls": {"caCertificateRef": {"name": "kube-root-ca.crt"}}},
)
RIVAL = api_manifest("correios", "correios", basePath="/api-cep/v1")
GRANT = grant_manifest("agendamento-cep")
REVOKED = grant_manifest("outro-cep", status=REVOKING)
DELETED = being_deleted(grant_manifest("velho-cep"))
ON_CPF = grant_manifest("agendamento-cpf", api="cpf-light")
LANDSCAPE = ListedLandscape(CEP, CPF, RIVAL, GRANT, REVOKED, DELETED, ON_CPF)

GRANTS_ON_CEP = {grant_key("agendamento-cep"), grant_key("outro-cep"), grant_key("velho-cep")}
REVOKED_GRANTS = {grant_key("outro-cep"), grant_key("velho-cep")}


def found(manifest: Manifest, happened: Happened = Happened.MODIFIED, **more: Any) -> set[ObjectKey]:
    return set(concerned(Change(happened, manifest, **more), LANDSCAPE))


def other(kind: str, name: str, namespace: str = "receita") -> Manifest:
    by_name: dict[str, Kind] = {kind.name: kind for kind in (*WATCHED, SECRET)}
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": by_name[kind].api_version, "kind": kind, "metadata": metadata}


def test_an_api_concerns_itself_its_grants_and_its_rivals() -> None:
    assert found(CEP) == {api_key("cep"), *GRANTS_ON_CEP, api_key("correios", "correios")}


@pytest.mark.parametrize("happened", [Happened.ADDED, Happened.DELETED])
def test_an_api_that_comes_or_goes_concerns_the_others_of_its_namespace(happened: Happened) -> None:
    assert api_key("cpf-light") in found(CEP, happened)


def test_an_api_whose_grants_see_nothing_new_concerns_only_those_that_are_being_revoked() -> None:
    assert found(CEP, is_news_for_grants=False) == {
        api_key("cep"),
        api_key("correios", "correios"),
        *REVOKED_GRANTS,
    }


def test_an_api_that_is_not_indexed_yet_finds_the_grants_that_waited_for_it() -> None:
    landscape = ListedLandscape(grant_manifest("cedo", api="novo"))
    change = Change(Happened.ADDED, api_manifest("novo"))
    assert set(concerned(change, landscape)) == {api_key("novo"), grant_key("cedo")}


def test_a_grant_concerns_itself_and_its_api_which_counts_it() -> None:
    assert found(GRANT) == {grant_key("agendamento-cep"), api_key("cep")}


@pytest.mark.parametrize("kind", ["HTTPRoute", "Backend", "BackendTLSPolicy"])
def test_what_was_written_for_an_api_concerns_it_by_name_whatever_its_labels_say(kind: str) -> None:
    assert found(other(kind, "cep")) == {api_key("cep")}


def test_a_policy_concerns_the_grants_that_wait_for_it_too() -> None:
    assert found(other("SecurityPolicy", "cep")) == {api_key("cep"), *REVOKED_GRANTS}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(other("Service", "cep"), {api_key("cep")}, id="the service of a backend"),
        pytest.param(other("Service", "cep", "saude"), set(), id="a service of another namespace"),
        pytest.param(other("Service", "other"), set(), id="any other service"),
        pytest.param(other("ConfigMap", "kube-root-ca.crt"), {api_key("cpf-light")}, id="a CA that is referred to"),
        pytest.param(
            other("ConfigMap", "conecta-jwks"), {api_key("cep"), api_key("cpf-light")}, id="the issuer's keys"
        ),
        pytest.param(other("ConfigMap", "other"), set(), id="any other ConfigMap"),
        pytest.param(
            other("Secret", "agendamento-cep-conecta", "saude"), {grant_key("agendamento-cep")}, id="a grant's Secret"
        ),
        pytest.param(other("Secret", "agendamento-cep-conecta"), set(), id="a Secret of another namespace"),
        pytest.param(
            other("Namespace", "receita", ""),
            {api_key("cep"), api_key("cpf-light"), *GRANTS_ON_CEP, grant_key("agendamento-cpf")},
            id="a provider's namespace",
        ),
        pytest.param(
            other("Namespace", "saude", ""), {*GRANTS_ON_CEP, grant_key("agendamento-cpf")}, id="a receiver's namespace"
        ),
    ],
)
def test_an_object_concerns_whoever_refers_to_it(manifest: Manifest, expected: set[ObjectKey]) -> None:
    assert found(manifest) == expected


def test_a_grant_whose_secret_was_renamed_is_concerned_by_the_former_one_too() -> None:
    renamed = grant_manifest("renomeado", status={"binding": {"name": "antigo"}})
    change = Change(Happened.MODIFIED, other("Secret", "antigo", "saude"))
    assert set(concerned(change, ListedLandscape(renamed))) == {grant_key("renomeado")}


@pytest.mark.parametrize("kind", [*WATCHED, SECRET], ids=str)
def test_every_watched_kind_is_understood(kind: Kind) -> None:
    manifest = {"ConectaApi": CEP, "ConectaGrant": GRANT}.get(kind.name, other(kind.name, "any"))
    found(manifest)


def test_all_that_decisions_read_is_watched() -> None:
    """A kind that is read but not watched would be noticed at the next resync only."""
    kinds = {key.kind for manifest in (CEP, CPF) for key in reads.of_api(ListedLandscape(manifest).all_apis[0])}
    assert kinds <= {*WATCHED, SECRET}


@pytest.mark.parametrize(
    ("change", "is_news"),
    [
        pytest.param({"metadata": {**CEP["metadata"], "resourceVersion": "2"}}, False, id="another resourceVersion"),
        pytest.param({"metadata": being_deleted(CEP)["metadata"]}, True, id="deletion"),
        pytest.param({"spec": {**CEP["spec"], "access": {"approval": "Manual"}}}, True, id="approval"),
        pytest.param({"status": {"revokedKeys": [{"clientId": "a", "until": "2026"}]}}, False, id="revoked keys"),
        pytest.param({"status": {"url": "https://x"}}, True, id="url"),
        pytest.param({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, True, id="condition"),
    ],
)
def test_grants_see_of_an_api_what_they_decide_on(change: Manifest, *, is_news: bool) -> None:
    assert (shown_to_grants(CEP) != shown_to_grants({**CEP, **change})) == is_news


def test_the_time_of_a_condition_is_no_news() -> None:
    def at(moment: str) -> Manifest:
        return {**CEP, "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": moment}]}}

    assert shown_to_grants(at("2026-01-01T00:00:00Z")) == shown_to_grants(at("2026-01-02T00:00:00Z"))


def test_what_a_service_leads_to_concerns_the_apis_that_lead_to_the_service() -> None:
    endpoints = other("EndpointSlice", "cep-x7k2p")
    assert found(endpoints) == set()
    endpoints["metadata"]["labels"] = {"kubernetes.io/service-name": "cep"}
    assert found(endpoints) == {api_key("cep")}


@pytest.mark.parametrize("kind", ["Backend", "BackendTLSPolicy", "HTTPRouteFilter", "BackendTrafficPolicy"])
def test_what_an_api_has_several_of_concerns_it_by_the_name(kind: str) -> None:
    assert found(other(kind, "cpf-light.055a7025")) == {api_key("cpf-light")}


@pytest.mark.parametrize(
    ("namespace", "name", "owner"),
    [
        ("receita", "cep.consulta.backend", api_key("cep")),
        ("envoy-gateway-system", "receita.cep.to-backend", api_key("cep")),
        ("saude", "agendamento-cep.workload", grant_key("agendamento-cep")),
        ("envoy-gateway-system", "saude.agendamento-cep.from-workload", grant_key("agendamento-cep")),
    ],
)
def test_a_network_policy_concerns_whose_it_is_by_its_name(namespace: str, name: str, owner: ObjectKey) -> None:
    """Whether or not its labels still say so."""
    assert found(other("NetworkPolicy", name, namespace)) == {owner}


def test_a_network_policy_of_somebody_else_concerns_nobody() -> None:
    assert found(other("NetworkPolicy", "conecta-default-deny")) == set()
