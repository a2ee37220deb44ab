"""Which keys need work, each at most once at a time.

Semantics of client-go's workqueue (https://pkg.go.dev/k8s.io/client-go/util/workqueue), in one event loop:

- A key that is added again before somebody takes it is taken once.
- A key that is added while it is worked on is handed out again after `done`: no wake-up is lost, and no two workers
  ever have the same key.
- `retry_later` waits longer with each failure of a key, until `forget`.

Filled by `intake`, `resync` and `loop`; emptied by the workers of `loop`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Hashable
from datetime import timedelta
from random import Random
from typing import Any, Final, Generic, Protocol, TypeVar

__all__ = ["FIRST_RETRY", "LONGEST_RETRY", "Clock", "QueueClosed", "Timer", "WorkQueue"]

FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(minutes=5)
_MOST_DOUBLINGS: Final = 16
"""Beyond this the delay is the longest anyway; keeps a power of two from growing for ever."""

K = TypeVar("K", bound=Hashable)


class QueueClosed(Exception):
    """The queue hands out nothing any more."""


class Timer(Protocol):
    """Something that was put off, and can be called off."""

    def cancel(self) -> None:
        """Never run it."""


class Clock(Protocol):
    """Time as the queue needs it; an asyncio event loop is one."""

    def time(self) -> float:
        """Seconds, monotonic."""

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> Timer:
        """Run the callback once, after so many seconds."""


class WorkQueue(Generic[K]):
    """Use from within one event loop only: nothing here is safe to call from threads."""

    def __init__(self, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._ready: deque[K] = deque()
        self._dirty: dict[K, float] = {}
        self._processing: set[K] = set()
        self._put_off: dict[K, tuple[float, Timer]] = {}
        self._failures: Counter[K] = Counter()
        self._something_is_ready = asyncio.Event()
        self._is_closed = False

    def add(self, key: K) -> None:
        """The key needs work, now."""
        if self._is_closed or key in self._dirty:
            return
        self._dirty[key] = self._clock.time()
        if key not in self._processing:
            self._make_ready(key)

    def add_after(self, key: K, delay: timedelta) -> None:
        """The key needs work when the delay is over; the earliest of several such wishes counts."""
        if self._is_closed:
            return
        due = self._clock.time() + delay.total_seconds()
        if key in self._put_off:
            earlier, timer = self._put_off[key]
            if earlier <= due:
                return
            timer.cancel()
        timer = self._clock.call_later(delay.total_seconds(), lambda: self._fall_due(key))
        self._put_off[key] = (due, timer)

    def retry_later(self, key: K) -> timedelta:
        """The key failed: it needs work again after the delay that is returned.

        Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): any time up to 1 s,
        2 s, 4 s and so on up to 5 min, so that what failed together is not retried together.
        """
        doublings = min(self._failures[key], _MOST_DOUBLINGS)
        self._failures[key] += 1
        ceiling = min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)
        delay = ceiling * self._random.random()
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The key succeeded: its next failure is a first one."""
        del self._failures[key]

    async def take(self) -> K:
        """The key that waits longest. Whoever takes it calls `done`. Raises QueueClosed once the queue is closed."""
        while not self._ready:
            if self._is_closed:
                raise QueueClosed
            self._something_is_ready.clear()
            await self._something_is_ready.wait()
        key = self._ready.popleft()
        del self._dirty[key]
        self._processing.add(key)
        return key

    def done(self, key: K) -> None:
        """The work on a key that was taken has ended, whether well or not."""
        self._processing.discard(key)
        if key in self._dirty:
            self._make_ready(key)

    def close(self) -> None:
        """Hand out nothing any more, forget what waits, and wake up whoever waits in `take`."""
        self._is_closed = True
        for _, timer in self._put_off.values():
            timer.cancel()
        self._put_off.clear()
        self._ready.clear()
        self._dirty.clear()
        self._something_is_ready.set()

    def __len__(self) -> int:
        """How many keys need work now, apart from those that are worked on and not changed since."""
        return len(self._dirty)

    @property
    def age_of_oldest(self) -> timedelta:
        """How long the key that waits longest has waited; 0 when none waits."""
        since = next(iter(self._dirty.values()), None)
        return timedelta() if since is None else timedelta(seconds=self._clock.time() - since)

    def _fall_due(self, key: K) -> None:
        del self._put_off[key]
        self.add(key)

    def _make_ready(self, key: K) -> None:
        self._ready.append(key)
        self._something_is_ready.set()
