"""No wake-up is lost, no key is worked on twice at once, and what failed is tried again later and later."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.reconcile.workqueue import LONGEST_RETRY, QueueClosed, WorkQueue
from tests.unit.reconcile.stand_ins import AlwaysLongest, FakeClock, seeded, until

SECOND = timedelta(seconds=1)


def queue_on(clock: FakeClock, random: Random | None = None) -> WorkQueue[str]:
    return WorkQueue(clock=clock, random=random or seeded())


async def all_ready(queue: WorkQueue[str]) -> list[str]:
    """Take and finish until the queue makes one wait."""
    taken: list[str] = []
    while True:
        try:
            async with asyncio.timeout(0):
                key = await queue.take()
        except TimeoutError:
            return taken
        taken.append(key)
        queue.done(key)


async def test_a_key_that_is_added_several_times_is_taken_once() -> None:
    queue = queue_on(FakeClock())
    for key in ("a", "b", "a"):
        queue.add(key)
    assert await all_ready(queue) == ["a", "b"]


async def test_a_key_that_is_added_while_it_is_worked_on_is_handed_out_again_after_that() -> None:
    queue = queue_on(FakeClock())
    queue.add("a")
    await queue.take()
    queue.add("a")
    assert await all_ready(queue) == []
    queue.done("a")
    assert await all_ready(queue) == ["a"]


async def test_whoever_waits_is_woken_by_a_key() -> None:
    queue = queue_on(FakeClock())
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    assert await waiting == "a"


async def test_a_cancelled_wait_takes_no_key_along() -> None:
    queue = queue_on(FakeClock())
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await all_ready(queue) == ["a"]


async def test_a_key_that_is_put_off_comes_when_it_is_due() -> None:
    clock = FakeClock()
    queue = queue_on(clock)
    queue.add_after("a", 3 * SECOND)
    clock.advance(2.9)
    assert await all_ready(queue) == []
    clock.advance(0.1)
    assert await all_ready(queue) == ["a"]


@pytest.mark.parametrize("delays", [(1, 5), (5, 1)], ids=["the later wish second", "the later wish first"])
async def test_the_earliest_of_several_wishes_counts(delays: tuple[int, int]) -> None:
    clock = FakeClock()
    queue = queue_on(clock)
    for delay in delays:
        queue.add_after("a", delay * SECOND)
    clock.advance(1)
    assert await all_ready(queue) == ["a"]
    clock.advance(10)
    assert await all_ready(queue) == []


def test_retries_wait_twice_as_long_each_time_and_at_most_five_minutes() -> None:
    queue = queue_on(FakeClock(), AlwaysLongest())
    waits = [queue.retry_later("a").total_seconds() for _ in range(12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_a_thousand_failures_wait_no_longer_than_ten() -> None:
    queue = queue_on(FakeClock(), AlwaysLongest())
    assert [queue.retry_later("a") for _ in range(1000)][-1] == LONGEST_RETRY


def test_after_a_success_the_next_failure_is_a_first_one() -> None:
    queue = queue_on(FakeClock(), AlwaysLongest())
    queue.retry_later("a")
    queue.forget("a")
    assert queue.retry_later("a") == SECOND


def test_what_failed_together_is_not_retried_together() -> None:
    queue = queue_on(FakeClock())
    assert len({queue.retry_later(f"key {number}") for number in range(20)}) == 20


def test_a_key_that_never_failed_can_be_forgotten() -> None:
    queue_on(FakeClock()).forget("a")


async def test_depth_and_age_tell_of_what_waits() -> None:
    clock = FakeClock()
    queue = queue_on(clock)
    assert (len(queue), queue.age_of_oldest) == (0, timedelta())
    queue.add("a")
    clock.advance(2)
    queue.add("b")
    clock.advance(1)
    assert (len(queue), queue.age_of_oldest) == (2, 3 * SECOND)
    await queue.take()
    assert (len(queue), queue.age_of_oldest) == (1, SECOND)


async def test_closing_wakes_all_who_wait_and_forgets_the_rest() -> None:
    clock = FakeClock()
    queue = queue_on(clock)
    waiting = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.add_after("late", SECOND)
    queue.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [QueueClosed] * 3
    assert clock.pending == []


async def test_a_closed_queue_takes_nothing_in() -> None:
    clock = FakeClock()
    queue = queue_on(clock)
    queue.close()
    queue.add("a")
    queue.add_after("b", SECOND)
    queue.retry_later("c")
    clock.advance(10)
    assert len(queue) == 0
    with pytest.raises(QueueClosed):
        await queue.take()


async def test_a_key_that_is_worked_on_while_the_queue_closes_can_be_finished() -> None:
    queue = queue_on(FakeClock())
    queue.add("a")
    await queue.take()
    queue.close()
    queue.done("a")


@given(
    wishes=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=40),
    pauses=st.lists(st.integers(0, 3), min_size=1, max_size=10),
    workers=st.integers(1, 4),
)
def test_whatever_happens_keys_are_worked_on_one_at_a_time_and_after_their_last_wish(
    wishes: list[tuple[str, int]], pauses: list[int], workers: int
) -> None:
    """Workers that take different times, and wishes that come before, during and after their work."""

    async def scenario() -> None:
        clock = FakeClock()
        queue = queue_on(clock)
        shop = Shop(queue)
        tasks = [asyncio.create_task(shop.work(pauses[number % len(pauses)])) for number in range(workers)]
        for key, delay in wishes:
            shop.wish(key)
            queue.add_after(key, delay * SECOND) if delay else queue.add(key)
            clock.advance(0.5)
            await asyncio.sleep(0)
        shop.step += 1
        clock.advance(10)
        await until(lambda: not len(queue) and not shop.at_work)
        queue.close()
        await asyncio.gather(*tasks)
        assert all(shop.last_start[key] >= wished for key, wished in shop.last_wish.items())

    asyncio.run(scenario())


class Shop:
    """Workers who check that they are alone with their key, and remember when they began."""

    def __init__(self, queue: WorkQueue[str]) -> None:
        self._queue = queue
        self.step = 0
        self.at_work: set[str] = set()
        self.last_wish: dict[str, int] = {}
        self.last_start: dict[str, int] = {}

    def wish(self, key: str) -> None:
        self.step += 1
        self.last_wish[key] = self.step

    async def work(self, pause: int) -> None:
        with suppress(QueueClosed):
            while True:
                key = await self._queue.take()
                assert key not in self.at_work
                self.at_work.add(key)
                self.last_start[key] = self.step
                for _ in range(pause):
                    await asyncio.sleep(0)
                self.at_work.remove(key)
                self._queue.done(key)
