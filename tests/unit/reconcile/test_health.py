"""When a restart is worth it."""

from datetime import timedelta

import pytest

from conecta_operator.reconcile.health import Facts, is_well

MINUTE = timedelta(minutes=1)


def facts(*, waiting: int = 0, oldest: timedelta = timedelta(), resync: timedelta = timedelta()) -> Facts:
    return Facts(waiting=waiting, age_of_oldest=oldest, age_of_last_change=timedelta(days=3), age_of_last_resync=resync)


@pytest.mark.parametrize(
    ("found", "well"),
    [
        pytest.param(facts(), True, id="a quiet cluster"),
        pytest.param(facts(waiting=10_000, oldest=MINUTE), True, id="a full resync under way"),
        pytest.param(facts(waiting=1, oldest=6 * MINUTE), False, id="a key that nobody works on"),
        pytest.param(facts(resync=30 * MINUTE), True, id="two resyncs missed"),
        pytest.param(facts(resync=36 * MINUTE), False, id="three resyncs missed"),
    ],
)
def test_health_is_judged_by_what_waits_and_by_the_last_look_at_everything(found: Facts, *, well: bool) -> None:
    assert is_well(found, resync_interval=10 * MINUTE) == well
