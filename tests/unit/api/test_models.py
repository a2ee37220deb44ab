"""What the operator reads of the two custom resources."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conecta_operator.api.conecta_api import Approval, ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant, KeyState
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


def test_a_field_of_spec_that_we_do_not_know_is_never_ignored() -> None:
    with pytest.raises(ValidationError, match=r"spec\.plans"):
        api(plans=[])
    with pytest.raises(ValidationError, match=r"spec\.credential\.serial"):
        grant(credential={"serial": 2})


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


def test_a_grants_status_lists_its_keys() -> None:
    (key,) = grant(
        status={"keys": [{"clientId": "a-1", "state": "Retiring", "issuedAt": "2026-11-24T12:00:00Z"}]},
    ).status.keys
    assert (key.client_id, key.state, key.retires_at) == ("a-1", KeyState.RETIRING, None)


def test_what_was_read_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        api().spec.title = "another"  # type: ignore[misc]
