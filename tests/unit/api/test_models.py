"""What the operator reads of the two custom resources."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conecta_operator.api.approvals import Decision, DecisionRule, Terms
from conecta_operator.api.conecta_api import Approval, ConectaApi, DataClassification
from conecta_operator.api.conecta_grant import ConectaGrant, KeyState
from conecta_operator.api.legal_basis import LegalBasis
from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Manifest, ObjectKey

METADATA: Manifest = {
    "name": "cep",
    "namespace": "receita",
    "uid": "5b1c",
    "generation": 3,
    "resourceVersion": "41",
    "creationTimestamp": "2026-11-24T12:00:00Z",
    "managedFields": [],
}
API_SPEC: Manifest = {
    "title": "Consulta CEP",
    "contacts": [{"name": "Dados", "email": "dados@receita.example"}],
    "version": "v1",
    "backend": {"service": {"name": "cep", "port": 8080}},
}
GRANT_SPEC: Manifest = {"apiRef": {"namespace": "receita", "name": "cep"}, "application": {"name": "agendamento"}}


def api(metadata: Manifest | None = None, status: Manifest | None = None, **spec: Any) -> ConectaApi:
    manifest = {"metadata": METADATA | (metadata or {}), "spec": API_SPEC | spec}
    return ConectaApi.parse(manifest if status is None else manifest | {"status": status})


def grant(metadata: Manifest | None = None, status: Manifest | None = None, **spec: Any) -> ConectaGrant:
    manifest = {"metadata": METADATA | (metadata or {}), "spec": GRANT_SPEC | spec}
    return ConectaGrant.parse(manifest if status is None else manifest | {"status": status})


def test_metadata_is_read_with_its_times_as_times() -> None:
    metadata = Metadata.parse(
        {"metadata": METADATA | {"deletionTimestamp": "2026-11-24T13:00:00Z", "finalizers": ["x"]}}
    )
    assert metadata == Metadata(
        name="cep",
        namespace="receita",
        uid="5b1c",
        generation=3,
        resource_version="41",
        creation_timestamp=datetime(2026, 11, 24, 12, tzinfo=UTC),
        deletion_timestamp=datetime(2026, 11, 24, 13, tzinfo=UTC),
        finalizers=("x",),
        labels={},
        annotations={},
    )


def test_an_object_is_identified_by_kind_namespace_and_name() -> None:
    assert api().key == ObjectKey(CONECTA_API, "receita", "cep")
    assert grant().key == ObjectKey(CONECTA_GRANT, "receita", "cep")


@pytest.mark.parametrize(
    ("spec", "path"),
    [({}, "/api-cep/v1"), ({"version": "v3"}, "/api-cep/v3"), ({"basePath": "/api-postal/v9"}, "/api-postal/v9")],
    ids=["default", "default of another version", "own"],
)
def test_a_base_path_is_the_one_given_or_made_of_name_and_version(spec: Manifest, path: str) -> None:
    assert api(**spec).base_path == path


@given(
    name=st.from_regex(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?", fullmatch=True),
    version=st.from_regex(r"v[0-9]{1,9}", fullmatch=True),
)
def test_a_default_base_path_is_one_that_could_have_been_given(name: str, version: str) -> None:
    default = api({"name": name}, version=version).base_path
    assert api(basePath=default).base_path == default


def test_access_is_manual_unless_said_otherwise() -> None:
    assert api().spec.access.approval is Approval.MANUAL
    assert api(access={}).spec.access.approval is Approval.MANUAL
    assert api(access={"approval": "Automatic"}).spec.access.approval is Approval.AUTOMATIC


def test_an_api_has_public_data_no_plans_and_preapproves_nobody_unless_said_otherwise() -> None:
    spec = api().spec
    assert spec.data_classification is DataClassification.PUBLIC
    assert (spec.plans, spec.access.preapproved) == ((), ())


@pytest.mark.parametrize(
    ("classification", "demands"), [("Public", False), ("Restricted", False), ("Personal", True), ("Sensitive", True)]
)
def test_only_data_about_people_demands_reasons(classification: str, demands: bool) -> None:  # noqa: FBT001 - a row
    assert api(dataClassification=classification).spec.data_classification.demands_reasons is demands


def test_a_plan_is_active_unless_said_otherwise() -> None:
    plans = api(plans=[{"name": "básico"}, {"name": "ouro", "active": False}]).spec.plans
    assert [(plan.name, plan.active) for plan in plans] == [("básico", True), ("ouro", False)]


def test_a_preapproval_without_plans_names_none() -> None:
    (entry,) = api(access={"preapproved": [{"agency": "saude"}]}).spec.access.preapproved
    assert (entry.agency, entry.plans) == ("saude", ())


def test_a_grant_asks_for_nothing_that_it_does_not_say() -> None:
    spec = grant().spec
    assert spec.suspended is False
    assert spec.credential.serial == 0
    assert spec.terms == Terms(application="agendamento")
    assert spec.terms.as_manifest() == {"application": "agendamento"}


def test_the_terms_are_the_part_of_a_grant_that_is_decided_on() -> None:
    terms: Manifest = {
        "plan": "básico",
        "purpose": "Agendar consultas",
        "legalBasis": "Art7III",
        "sourceRanges": ["203.0.113.0/24"],
        "validUntil": "2028-01-01T00:00:00-03:00",
    }
    others: Manifest = {
        "publicService": "Agendamento",
        "estimatedCallsPerYear": 5,
        "validFrom": "2027-01-01T00:00:00-03:00",
        "suspended": True,
    }
    assert grant(**terms, **others).spec.terms.as_manifest() == terms | {"application": "agendamento"}


def test_terms_are_equal_whatever_zone_their_end_is_written_in() -> None:
    there = grant(validUntil="2028-01-01T00:00:00-03:00").spec.terms
    assert there == grant(validUntil="2028-01-01T03:00:00Z").spec.terms
    assert there != grant(validUntil="2028-01-01T03:00:01Z").spec.terms


@given(
    plan=st.none() | st.from_regex(r"[a-zç]{1,50}", fullmatch=True),
    purpose=st.none() | st.text(min_size=1),
    basis=st.none() | st.sampled_from(LegalBasis),
    ranges=st.lists(st.ip_addresses().map(lambda address: f"{address}/{address.max_prefixlen}"), max_size=3),
    until=st.none() | st.datetimes(datetime(2000, 1, 2), datetime(2999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_terms_are_read_as_they_were_written(
    plan: str | None, purpose: str | None, basis: LegalBasis | None, ranges: list[str], until: datetime | None
) -> None:
    terms = Terms(
        plan=plan,
        purpose=purpose,
        legal_basis=basis,
        application="agendamento",
        source_ranges=tuple(ranges),
        valid_until=until,
    )
    assert Terms.model_validate(terms.as_manifest()) == terms


def test_a_decision_is_read_with_its_terms() -> None:
    approval = grant(
        status={
            "approval": {
                "decision": "Approved",
                "by": "system:serviceaccount:conecta-system:conecta-operator",
                "at": "2026-11-24T12:00:00Z",
                "rule": "access.preapproved",
                "terms": {"application": "agendamento", "plan": "básico"},
            }
        }
    ).status.approval
    assert approval is not None
    assert (approval.decision, approval.rule) == (Decision.APPROVED, DecisionRule.PREAPPROVED)
    assert approval.terms == Terms(application="agendamento", plan="básico")


def test_a_key_lies_in_the_secret_that_is_named_or_one_named_after_the_grant() -> None:
    assert grant().secret_name == "cep-conecta"
    assert grant(credential={"secretName": "chave"}).secret_name == "chave"


@pytest.mark.parametrize(
    ("credential", "overlap"),
    [({}, timedelta(hours=72)), ({"overlap": "90d"}, timedelta(days=90)), ({"overlap": "0s"}, timedelta(0))],
    ids=["default", "given", "none"],
)
def test_an_overlap_is_a_duration(credential: Manifest, overlap: timedelta) -> None:
    assert grant(credential=credential).spec.credential.overlap == overlap


@pytest.mark.parametrize("overlap", ["72", "366d", 72.5, None])
def test_an_overlap_of_another_form_or_over_a_year_is_refused(overlap: Any) -> None:
    with pytest.raises(ValidationError, match=r"spec\.credential\.overlap"):
        grant(credential={"overlap": overlap})


@pytest.mark.parametrize(
    ("credential", "interval"),
    [
        ({}, timedelta(days=180)),
        ({"rotateEvery": "90d"}, timedelta(days=90)),
        *(({"rotateEvery": never}, timedelta(0)) for never in ("0s", "0", 0)),
    ],
    ids=["default", "given", "0s", "0 as text", "0"],
)
def test_keys_are_replaced_at_an_interval_or_never(credential: Manifest, interval: timedelta) -> None:
    read = grant(credential=credential).spec.credential
    assert read.rotate_every == interval
    assert read.rotates is (interval > timedelta(0))


@pytest.mark.parametrize("interval", ["180", "00", "3651d", 1, 0.0, False, None])
def test_an_interval_of_another_form_or_over_ten_years_is_refused(interval: Any) -> None:
    with pytest.raises(ValidationError, match=r"spec\.credential\.rotateEvery"):
        grant(credential={"rotateEvery": interval})


def test_a_field_of_spec_that_we_do_not_know_is_never_ignored() -> None:
    with pytest.raises(ValidationError, match=r"spec\.capacity\.callsPerYear"):
        api(capacity={"callsPerYear": 1})
    with pytest.raises(ValidationError, match=r"spec\.credential\.number"):
        grant(credential={"number": 2})


def test_a_status_is_read_whatever_a_later_version_added_to_it() -> None:
    status = api(
        status={
            "observedGeneration": 3,
            "usage": {"calls": 5},
            "revokedKeys": [{"clientId": "saude-agendamento-1", "until": "2026-11-24T14:00:01Z", "by": "ana"}],
        },
    ).status
    assert status.observed_generation == 3
    (revoked,) = status.revoked_keys
    assert (revoked.client_id, revoked.until) == ("saude-agendamento-1", datetime(2026, 11, 24, 14, 0, 1, tzinfo=UTC))


def test_an_object_that_nobody_has_looked_at_has_an_empty_status() -> None:
    assert api().status.conditions == ()
    assert api().status.revoked_keys == ()
    assert grant().status.keys == ()
    assert grant().status.approval is None
    assert api().status.grants is None


def test_a_grants_status_lists_its_keys() -> None:
    (key,) = grant(
        status={"keys": [{"clientId": "a-1", "state": "Retiring", "issuedAt": "2026-11-24T12:00:00Z"}]},
    ).status.keys
    assert (key.client_id, key.state, key.retires_at) == ("a-1", KeyState.RETIRING, None)


def test_what_was_read_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        api().spec.title = "another"  # type: ignore[misc]
