"""`approve`, `deny` and `revoke` write the caller's decision, and nothing else."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_cli.decisions.grants import terms
from conecta_cli.decisions.patches import replacing
from conecta_operator.api.approvals import GrantApproval
from conecta_operator.api.conecta_grant import ConectaGrantSpec
from conecta_operator.api.objects import Manifest
from tests.unit.cli.conftest import Run, a_grant
from tests.unit.cli.stand_in import ApiServer, merged

TERMS = {
    "plan": "básico",
    "purpose": "Conferir endereços.",
    "application": "agendamento",
    "sourceRanges": ["203.0.113.0/24"],
    "validUntil": "2028-01-01T00:00:00-03:00",
}


def approval(grant: Manifest) -> dict[str, Any]:
    return dict(grant["status"]["approval"])


def test_approving_writes_the_callers_name_and_the_terms_of_now(run: Run, server: ApiServer, grant: Manifest) -> None:
    version = grant["metadata"]["resourceVersion"]
    ran = run("approve", "saude/agendamento-cep")
    assert (ran.code, ran.out, ran.err) == (0, "conectagrant.conecta.gov.br/agendamento-cep approved\n", "")
    written = approval(grant)
    assert abs(datetime.fromisoformat(written.pop("at")) - datetime.now(UTC)).total_seconds() < 60
    assert written == {"decision": "Approved", "by": "ana", "terms": TERMS}
    (patch,) = server.patches
    assert patch.path.endswith("/namespaces/saude/conectagrants/agendamento-cep/status")
    assert patch.header("content-type") == ["application/merge-patch+json"]
    assert patch.body["metadata"] == {"resourceVersion": version}
    assert list(patch.body["status"]) == ["approval"]


def test_the_terms_are_those_of_the_models() -> None:
    spec = ConectaGrantSpec.model_validate(a_grant()["spec"])
    assert GrantApproval.model_validate(
        {"decision": "Approved", "by": "ana", "at": "2026-11-24T12:00:00Z", "terms": terms(a_grant())}
    ).terms == (spec.terms)


def test_terms_that_the_spec_does_not_set_are_absent() -> None:
    grant = a_grant()
    for field in ("plan", "purpose", "sourceRanges", "validUntil"):
        del grant["spec"][field]
    assert terms(grant) == {"application": "agendamento"}


def test_approving_again_after_a_change_leaves_nothing_of_the_old_terms(run: Run, grant: Manifest) -> None:
    run("approve", "agendamento-cep", "--message", "Para 2026.")
    del grant["spec"]["plan"]
    grant["spec"]["sourceRanges"] = ["198.51.100.0/24"]
    run("approve", "agendamento-cep")
    wanted = {key: value for key, value in TERMS.items() if key != "plan"} | {"sourceRanges": ["198.51.100.0/24"]}
    assert approval(grant)["terms"] == wanted
    assert "message" not in approval(grant)


def test_a_decision_that_was_made_already_is_not_written_again(run: Run, server: ApiServer, grant: Manifest) -> None:
    run("approve", "agendamento-cep")
    before = copy.deepcopy(grant)
    ran = run("approve", "agendamento-cep", "--as", "rui")
    assert (ran.code, ran.out) == (0, "conectagrant.conecta.gov.br/agendamento-cep approved (no change)\n")
    assert grant == before
    assert len(server.patches) == 1


def _for_an_api_that_is_deleted(run: Run, grant: Manifest) -> None:
    """Have it approved a year ago, and let the operator say that it was for an earlier API of that name."""
    run("approve", "agendamento-cep")
    grant["status"]["approval"]["at"] = "2025-11-24T12:00:00Z"
    grant["status"]["approvalSeen"] = {"by": "ana", "at": "2025-11-24T12:00:00Z", "apiUid": "of-the-earlier-one"}
    stated = {"type": "Approved", "status": "False", "reason": "Pending", "message": "Anew.", "observedGeneration": 1}
    grant["status"]["conditions"] = [stated]


def test_what_was_approved_for_an_api_that_is_deleted_can_be_approved_again(run: Run, grant: Manifest) -> None:
    _for_an_api_that_is_deleted(run, grant)
    assert run("grants", "--pending", "-o", "name").out == "conectagrant.conecta.gov.br/agendamento-cep\n"
    ran = run("approve", "agendamento-cep")
    assert (ran.code, ran.out) == (0, "conectagrant.conecta.gov.br/agendamento-cep approved\n")
    assert approval(grant)["at"] > "2025-11-24T12:00:00Z"
    assert run("grants", "--pending", "-o", "name").out == ""


def test_somebody_may_decide_over_what_a_rule_decided(run: Run, grant: Manifest) -> None:
    grant["status"] = {
        "approval": {"decision": "Approved", "by": "op", "at": "x", "rule": "access.approval", "terms": TERMS}
    }
    assert run("approve", "agendamento-cep").code == 0
    assert "rule" not in approval(grant)
    assert approval(grant)["by"] == "ana"


def test_denying_and_revoking_write_the_message_and_no_terms(run: Run, grant: Manifest) -> None:
    assert run("deny", "agendamento-cep", "--message", "Falta o termo.").code == 0
    written = approval(grant)
    assert (written.pop("at")[-1], written) == (
        "Z",
        {"decision": "Denied", "by": "ana", "message": "Falta o termo."},
    )
    run("approve", "agendamento-cep")
    assert run("revoke", "agendamento-cep", "--message", "Uso indevido.").code == 0
    assert {key: approval(grant).get(key) for key in ("decision", "message", "terms")} == {
        "decision": "Revoked",
        "message": "Uso indevido.",
        "terms": None,
    }
    assert run("revoke", "agendamento-cep", "--message", "Uso indevido.").out.endswith("revoked (no change)\n")


@pytest.mark.parametrize(
    ("decided", "command"),
    [
        ("Approved", "deny, use revoke"),
        (None, "revoke, use deny"),
        ("Denied", "revoke, use deny"),
    ],
)
def test_a_decision_that_would_not_do_what_is_meant_is_not_written(
    run: Run, server: ApiServer, grant: Manifest, decided: str | None, command: str
) -> None:
    if decided:
        grant["status"] = {"approval": {"decision": decided, "by": "maria", "at": "x"}}
    command, says = command.split(", ")
    ran = run(command, "agendamento-cep", "--message", "m")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert says in ran.err
    assert server.patches == []


def test_a_grant_that_is_being_deleted_is_not_decided_on(run: Run, server: ApiServer, grant: Manifest) -> None:
    grant["metadata"]["deletionTimestamp"] = "2026-11-24T12:00:00Z"
    assert run("approve", "agendamento-cep").err == "error: grant saude/agendamento-cep is being deleted\n"
    assert server.patches == []


def test_the_operators_writes_in_between_do_not_matter(run: Run, server: ApiServer, grant: Manifest) -> None:
    def operator_reports() -> None:
        grant["status"] = {"observedGeneration": 1}
        server.touch(grant)

    server.before_patch = [operator_reports, operator_reports]
    assert run("approve", "agendamento-cep").code == 0
    assert approval(grant)["decision"] == "Approved"
    assert grant["status"]["observedGeneration"] == 1


@pytest.mark.parametrize("change", ["spec", "decision"])
def test_what_was_not_seen_is_not_approved(run: Run, server: ApiServer, grant: Manifest, change: str) -> None:
    """The request, or another's decision, that came in between is left as it is."""

    def somebody_changes_it() -> None:
        if change == "spec":
            grant["spec"]["plan"] = "avançado"
        else:
            grant["status"] = {"approval": {"decision": "Denied", "by": "maria", "at": "x"}}
        server.touch(grant)

    server.before_patch = [somebody_changes_it]
    ran = run("approve", "agendamento-cep")
    assert ran.code == 1
    assert ran.err.startswith("error: grant saude/agendamento-cep was changed by somebody else")
    assert grant.get("status", {}).get("approval", {}).get("decision") != "Approved"


def test_a_conflict_that_does_not_end_is_given_up(run: Run, server: ApiServer, grant: Manifest) -> None:
    server.before_patch = [lambda: server.touch(grant)] * 20
    assert run("approve", "agendamento-cep").code == 1
    assert len(server.patches) == 5


def test_approving_what_is_incomplete_says_that_there_is_no_key_yet(run: Run, grant: Manifest) -> None:
    incomplete = {"type": "Accepted", "status": "False", "reason": "IncompleteRequest", "message": "No term."}
    grant["status"] = {"conditions": [incomplete | {"observedGeneration": 1}]}
    ran = run("approve", "agendamento-cep")
    assert ran.code == 0
    assert ran.err == "There is no key yet, because the request can't be accepted: No term.\n"


def test_for_programs_the_grant_is_printed(run: Run, grant: Manifest) -> None:
    printed = json.loads(run("approve", "agendamento-cep", "-o", "json").out)
    assert printed["status"]["approval"] == approval(grant)
    assert run("approve", "agendamento-cep", "-o", "name").out == "conectagrant.conecta.gov.br/agendamento-cep\n"


json_objects = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.integers(0, 2), max_size=3),
    max_leaves=6,
)


@given(json_objects, json_objects)
def test_a_replacing_patch_leaves_exactly_the_new_value(old: Manifest, new: Manifest) -> None:
    assert merged(old, replacing(old, new)) == new
