"""The keys that the issuer signs with, one rotation after another."""

from datetime import UTC, datetime, timedelta

import pytest

from conecta_operator.plan.signing_rotation import key_id, knows, outlived, to_go_on_with

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def key(made: datetime) -> dict[str, str]:
    return {"kid": key_id(made)}


FIRST = {"kid": "4f1c"}
SECOND, THIRD = key(NOON), key(NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("since_third", "gone"),
    [(timedelta(), ()), (timedelta(hours=2), ("4f1c",)), (timedelta(hours=3, seconds=1), ("4f1c", SECOND["kid"]))],
)
def test_a_key_goes_when_the_last_token_that_it_signed_has_expired(
    since_third: timedelta, gone: tuple[str, ...]
) -> None:
    """Three hours after its successor was made, which may have taken most of one of them to come into use."""
    now = NOON + timedelta(hours=1, seconds=1) + since_third
    assert outlived([FIRST, SECOND, THIRD], now) == gone


def test_the_key_in_use_stays_however_old_it_is() -> None:
    assert outlived([SECOND], NOON + timedelta(days=365)) == ()
    assert outlived([], NOON) == ()


def test_the_key_that_was_in_use_until_now_stays_however_old_it_is() -> None:
    now = NOON + timedelta(days=365)
    assert outlived([FIRST, key(now)], now) == ()
    assert outlived([SECOND, key(now)], now) == ()


def test_a_key_that_does_not_say_when_it_was_made_ends_no_other() -> None:
    assert outlived([FIRST, {"kid": "a1b2"}], NOON) == ()


def test_a_rotation_that_was_ended_halfway_goes_on_with_its_key() -> None:
    assert to_go_on_with([SECOND], [FIRST], NOON + timedelta(minutes=29)) == SECOND


def test_a_key_that_is_in_use_is_not_put_in_use_again() -> None:
    assert to_go_on_with([SECOND], [FIRST, SECOND], NOON) is None


def test_a_key_of_long_ago_is_not_put_in_use_any_more() -> None:
    assert to_go_on_with([SECOND], [FIRST], NOON + timedelta(minutes=31)) is None


def test_a_key_that_the_issuer_made_by_itself_is_not_put_in_use() -> None:
    assert to_go_on_with([{"kid": "a1b2"}], [FIRST], NOON) is None
    assert to_go_on_with([], [FIRST], NOON) is None


def test_a_key_is_known_where_its_id_is_published() -> None:
    assert knows('{"keys": [{"kid": "4f1c"}, {"kty": "RSA"}]}', "4f1c")
    assert not knows('{"keys": []}', "4f1c")
