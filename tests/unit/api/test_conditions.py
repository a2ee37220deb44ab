"""How new conditions follow old ones."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.api.conditions import Condition, ConditionStatus, ConditionType, as_manifest, merge

BEFORE = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW = BEFORE + timedelta(hours=1)

CONDITIONS = st.lists(
    st.builds(
        Condition,
        type=st.sampled_from(ConditionType),
        status=st.sampled_from(ConditionStatus),
        reason=st.sampled_from(["Pending", "Ready"]),
        message=st.sampled_from(["", "wait"]),
        observed_generation=st.integers(0, 3),
        last_transition_time=st.none(),
    ),
    unique_by=lambda condition: condition.type,
).map(tuple)


def ready(status: ConditionStatus, **fields: str | int) -> Condition:
    return Condition.model_validate(
        {"type": "Ready", "status": status, "reason": "Ready", "message": "", "observed_generation": 1} | fields,
    )


def test_a_new_condition_dates_from_now() -> None:
    (condition,) = merge((), (ready(ConditionStatus.TRUE),), NOW)
    assert condition.last_transition_time == NOW


def test_a_condition_whose_status_stays_keeps_its_date_whatever_else_changes() -> None:
    old = merge((), (ready(ConditionStatus.FALSE),), BEFORE)
    (condition,) = merge(
        old,
        (ready(ConditionStatus.FALSE, reason="Pending", message="wait", observed_generation=2),),
        NOW,
    )
    assert condition.last_transition_time == BEFORE
    assert (condition.reason, condition.message, condition.observed_generation) == ("Pending", "wait", 2)


def test_a_condition_whose_status_changes_dates_from_now() -> None:
    old = merge((), (ready(ConditionStatus.UNKNOWN),), BEFORE)
    (condition,) = merge(old, (ready(ConditionStatus.FALSE),), NOW)
    assert condition.last_transition_time == NOW


def test_a_condition_that_is_no_longer_stated_vanishes() -> None:
    stalled = Condition(
        type=ConditionType.STALLED,
        status=ConditionStatus.TRUE,
        reason="NeedsChange",
        message="",
        observed_generation=1,
    )
    old = merge((), (stalled, ready(ConditionStatus.FALSE)), BEFORE)
    assert [condition.type for condition in merge(old, (ready(ConditionStatus.TRUE),), NOW)] == ["Ready"]


@given(old=CONDITIONS, new=CONDITIONS)
def test_merging_states_what_is_new_and_is_sorted_whatever_the_order(
    old: tuple[Condition, ...],
    new: tuple[Condition, ...],
) -> None:
    merged = merge(merge((), old, BEFORE), new, NOW)
    assert merged == merge(merge((), reversed(old), BEFORE), reversed(new), NOW)
    assert [condition.type for condition in merged] == sorted(condition.type for condition in new)
    assert {condition.model_copy(update={"last_transition_time": None}) for condition in merged} == set(new)


@given(conditions=CONDITIONS)
def test_merging_the_same_again_changes_nothing(conditions: tuple[Condition, ...]) -> None:
    merged = merge((), conditions, BEFORE)
    assert merge(merged, conditions, NOW) == merged


@given(conditions=CONDITIONS)
def test_merged_conditions_are_read_as_they_were_written(conditions: tuple[Condition, ...]) -> None:
    merged = merge((), conditions, BEFORE)
    assert tuple(Condition.model_validate(entry) for entry in as_manifest(merged)) == merged


def test_a_manifest_has_plain_texts_and_numbers() -> None:
    (entry,) = as_manifest(merge((), (ready(ConditionStatus.TRUE),), NOW))
    assert entry == {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T13:00:00Z",
    }
    assert {type(value) for value in entry.values()} == {str, int}


def test_a_condition_that_was_not_merged_has_no_manifest() -> None:
    with pytest.raises(ValueError, match="Ready has not been merged"):
        as_manifest((ready(ConditionStatus.TRUE),))
