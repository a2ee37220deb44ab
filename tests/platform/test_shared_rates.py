"""The same rates, counted for all replicas of the gateway by ratelimit and Redis."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import urllib3

from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN
from tests.support.application import Gateway
from tests.support.kubectl import agency_namespace, eventually
from tests.support.rated import Callers, Rated
from tests.support.second_envoy import ADMINS, answered, second_envoy
from tests.support.shared_rates import CountingParts, counted_together

BASIC = {"name": "básico", "callsPerSecond": 5}


@pytest.fixture(scope="module")
def parts(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountingParts]:
    with counted_together(platform, tmp_path_factory.mktemp("stack")) as parts:
        yield parts


@pytest.fixture(scope="module")
def agency(parts: CountingParts) -> Iterator[str]:
    assert isinstance(parts, CountingParts)
    with agency_namespace("conta") as name:
        yield name


@pytest.fixture(scope="module")
def rated(gateway: Gateway, agency: str) -> Rated:
    """One whose calls go on when they can't be counted together."""
    return Rated(gateway, agency, plans=[BASIC, {"name": "livre"}], capacity={"callsPerSecond": 20})


@pytest.fixture(scope="module")
def closed(gateway: Gateway, agency: str) -> Rated:
    """One whose calls do not."""
    return Rated(gateway, agency, plans=[BASIC], capacity={"onQuotaFailure": "Closed"})


@pytest.fixture(scope="module")
def basic(rated: Rated) -> str:
    return rated.grant("básico").token()


@pytest.fixture(scope="module")
def basic_closed(closed: Rated) -> str:
    return closed.grant("básico").token()


@pytest.fixture(autouse=True)
def is_rested(parts: CountingParts) -> None:
    """Each test begins with full buckets."""
    parts.start("redis", "ratelimit")
    time.sleep(1.05)


def calls(rated: Rated, tokens: Sequence[str], seconds: float) -> Callers:
    callers = Callers(Layout(), rated.path, tokens)
    asyncio.run(callers.run(seconds))
    return callers


def counted(name: str, mode: str) -> int:
    """What Envoy has counted of the answers to its questions, for all backends."""
    text = urllib3.request("GET", f"http://127.0.0.1:{ENVOY_ADMIN}/stats?filter=ratelimit.{mode}", timeout=5).data
    return sum(int(value) for value in re.findall(rf"\.ratelimit\.{mode}\.{name}: (\d+)", text.decode()))


def test_a_plan_and_a_capacity_are_held(rated: Rated, basic: str) -> None:
    """By windows of a second, aligned to the clock: at both ends of a time there may be one that is cut."""
    free = rated.grant("livre").token()
    time.sleep(1.05)
    before = counted("ok", "open")
    one = calls(rated, [basic], 3.0)
    assert 5 * 2 <= one.admitted <= one.most(5)
    assert counted("ok", "open") > before, "ratelimit was asked"
    time.sleep(1.05)
    everybody = calls(rated, [basic, free, free], 3.0)
    everybody.tell(20)
    assert 20 * 2 <= everybody.admitted <= everybody.most(20) + 3


def test_two_replicas_let_no_more_pass_than_one(platform: Layout, rated: Rated, basic: str, tmp_path: Path) -> None:
    with second_envoy(platform, tmp_path):
        time.sleep(1.05)
        before = [answered(admin) for admin in ADMINS]
        called = calls(rated, [basic] * 12, 3.0)
        took_part = [answered(admin) - earlier for admin, earlier in zip(ADMINS, before, strict=True)]
    called.tell(5)
    assert min(took_part) > 5 * 3, "each would have let so many pass by itself"
    assert 5 * 2 <= called.admitted <= called.most(5)


def test_the_count_is_the_services_own(rated: Rated, basic: str) -> None:
    """What Redis holds decides: it knows what any replica let through."""
    answers = [rated.call(basic) for _ in range(3)]
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"5"}
    assert min(left) < 4


def test_a_refusal_is_the_same_whoever_counts(rated: Rated, basic: str) -> None:
    answer = next(answer for answer in iter(lambda: rated.call(basic), None) if answer.status != 200)
    assert (answer.status, answer.headers["content-type"]) == (429, "application/problem+json")
    assert answer.headers["retry-after"] == "1"
    assert [answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")] == ["5", "0", "1"]


def test_no_counter_moves_when_plans_change(rated: Rated, basic: str) -> None:
    async def both() -> None:
        calling = asyncio.create_task(callers.run(30))
        for number in range(2, 8):
            others = [{"name": f"p{n}", "callsPerSecond": n} for n in range(1, number)]
            await asyncio.to_thread(rated.change, plans=[*others, {"name": "livre"}, BASIC])
        callers.stop()
        await calling

    callers = Callers(Layout(), rated.path, [basic], pause=0.02)
    asyncio.run(both())
    callers.tell(5)
    assert callers.admitted <= callers.most(5) + 1


@pytest.mark.parametrize("away", ["redis", "ratelimit"])
def test_without_its_counter_an_open_api_goes_on_within_the_replicas_own_bounds(
    parts: CountingParts, rated: Rated, basic: str, away: str
) -> None:
    before = counted("failure_mode_allowed", "open")
    parts.stop(away)
    called = calls(rated, [basic], 2.0)
    assert 5 * 2 - 1 <= called.admitted <= called.most(5)
    assert counted("failure_mode_allowed", "open") > before, "metrics tell"
    parts.start(away)


@pytest.mark.parametrize("away", ["redis", "ratelimit"])
def test_without_its_counter_a_closed_api_serves_nobody(
    parts: CountingParts, closed: Rated, basic_closed: str, away: str
) -> None:
    eventually(lambda: closed.call(basic_closed).status == 200)
    before = counted("error", "closed")
    parts.stop(away)
    eventually(lambda: closed.call(basic_closed).status == 503)
    time.sleep(1.05)
    answer: Any = closed.call(basic_closed)
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "contar" in answer.json()["detail"]
    assert counted("error", "closed") > before, "metrics tell"
    parts.start(away)
    eventually(lambda: closed.call(basic_closed).status == 200)


def test_a_counter_that_does_not_answer_costs_a_call_little(parts: CountingParts, rated: Rated, basic: str) -> None:
    with parts.stalled("ratelimit"):
        started = time.monotonic()
        assert rated.call(basic).status == 200
        assert time.monotonic() - started < 2
