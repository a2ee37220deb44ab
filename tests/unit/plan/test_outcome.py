"""What a status says when a reconcile could not be finished."""

from datetime import UTC, datetime, timedelta

import pytest

from conecta_operator.api.conditions import Condition, ConditionStatus, ConditionType
from conecta_operator.errors import ClusterUnavailable, Conflict, IssuerUnavailable, Rejected
from conecta_operator.plan.outcome import interrupted

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAILURES = [ClusterUnavailable, Conflict, IssuerUnavailable, Rejected, RuntimeError]


def _condition(type_: ConditionType, status: ConditionStatus) -> Condition:
    return Condition(
        type=type_,
        status=status,
        reason=str(type_),
        message="as it was",
        observed_generation=1,
        last_transition_time=NOW - timedelta(hours=1),
    )


@pytest.mark.parametrize("kind", FAILURES)
def test_an_address_in_an_error_reaches_no_tenant(kind: type[Exception]) -> None:
    said = interrupted((), generation=1, error=kind("connect 10.0.0.7:4445 token hunter2"), now=NOW)
    assert "10.0.0.7" not in str(said)
    assert "hunter2" not in str(said)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_new_object_is_not_ready_and_reconciling(kind: type[Exception]) -> None:
    stated = {c["type"]: c["status"] for c in interrupted((), generation=1, error=kind("x"), now=NOW)["conditions"]}
    assert stated == {"Ready": "False", "Reconciling": "True"}


def test_what_was_stated_before_still_counts_but_stalled_does_not() -> None:
    old = (
        _condition(ConditionType.READY, ConditionStatus.TRUE),
        _condition(ConditionType.STALLED, ConditionStatus.TRUE),
    )
    conditions = interrupted(old, generation=2, error=IssuerUnavailable("x"), now=NOW)["conditions"]
    assert [(c["type"], c["status"], c["lastTransitionTime"]) for c in conditions] == [
        ("Ready", "True", "2026-11-24T11:00:00Z"),
        ("Reconciling", "True", "2026-11-24T12:00:00Z"),
    ]
