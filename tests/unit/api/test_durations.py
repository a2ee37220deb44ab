"""Durations and moments as objects carry them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.api.durations import parse, timestamp


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0s", timedelta(0)),
        ("30m", timedelta(minutes=30)),
        ("72h", timedelta(days=3)),
        ("90d", timedelta(days=90)),
        ("007d", timedelta(days=7)),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert parse(text) == duration


@pytest.mark.parametrize(
    "text", ["", "h", "72", "1.5h", "-1h", "+1h", "1h30m", "2w", "72 h", "72h\n", "٣h", "1" * 9 + "d"]
)
def test_any_other_text_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration: write a whole number and d, h, m or s, such as 72h"):
        parse(text)


@given(number=st.integers(0, 99_999_999), unit=st.sampled_from("dhms"))
def test_every_text_of_that_form_is_a_duration(number: int, unit: str) -> None:
    seconds = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}[unit]
    assert parse(f"{number}{unit}") == timedelta(seconds=number * seconds)


def test_a_moment_is_written_in_utc_to_the_second() -> None:
    brasilia = timezone(timedelta(hours=-3))
    assert timestamp(datetime(2026, 11, 24, 9, 30, 15, 999_999, brasilia)) == "2026-11-24T12:30:15Z"


@given(moment=st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - a bound without zone
def test_a_written_moment_is_less_than_a_second_from_the_true_one(moment: datetime) -> None:
    assert timedelta(0) <= moment - datetime.fromisoformat(timestamp(moment)) < timedelta(seconds=1)
