"""Interferences: what may happen to an operator between any two of its requests."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.support.go_between import Answer, Cut, Forward, Party, Request

__all__ = ["Fault", "Knife", "MarkedFaults", "internal_error", "refusing_issuer", "silence_after_commit"]

_BEYOND_PATIENCE: Final = 30.0
"""Seconds; the operator gives up after ten, and ends the connection."""


@dataclass
class Knife:
    """Kills the operator at the `number`th write about something marked: right after it, or right before.

    Without a number it only counts. The dead operator's other requests go nowhere.
    """

    kill: Callable[[], None]
    mark: str
    number: int | None = None
    taken: bool = True
    """Whether the write at which it cuts has still been done."""
    writes: list[Request] = field(default_factory=list)
    has_cut: bool = False
    last_write: float = field(default_factory=time.monotonic)

    @property
    def idle_for(self) -> float:
        """Seconds since the last write."""
        return time.monotonic() - self.last_write

    async def __call__(self, request: Request, forward: Forward) -> Answer:
        """Forward, or cut."""
        if self.has_cut:
            raise Cut
        if not (request.is_write and request.is_about(self.mark)):
            return await forward()
        self.writes.append(request)
        self.last_write = time.monotonic()
        if len(self.writes) != self.number:
            return await forward()
        if self.taken:
            await forward()
        self.has_cut = True
        self.kill()
        raise Cut


Fault = Callable[[Forward], Awaitable[Answer]]


async def internal_error(_: Forward) -> Answer:
    """The issuer has a problem of its own, before it did anything."""
    return Answer(500, {"content-type": "application/json"}, json.dumps({"error": "error"}).encode())


async def silence_after_commit(forward: Forward) -> Answer:
    """The issuer does what it is asked, and nobody hears of it."""
    await forward()
    await asyncio.sleep(_BEYOND_PATIENCE)
    raise Cut


async def refusing_issuer(request: Request, forward: Forward) -> Answer:
    """The issuer answers nothing but 500."""
    return await forward() if request.party is Party.API_SERVER else await internal_error(forward)


@dataclass
class MarkedFaults:
    """For each mark one fault, at the request to the issuer about it that has the mark's number, and at no other."""

    fault: Fault
    numbers: Mapping[str, int]
    only_writes: bool = False
    seen: dict[str, list[Request]] = field(default_factory=lambda: defaultdict(list))
    """Whatever could have met the fault."""
    met: set[str] = field(default_factory=set)
    """Marks whose request has met it."""

    async def __call__(self, request: Request, forward: Forward) -> Answer:
        """Forward, or do harm."""
        if request.party is not Party.ISSUER_ADMIN or (self.only_writes and not request.is_write):
            return await forward()
        mark = next((mark for mark in self.numbers if request.is_about(mark)), None)
        if mark is None:
            return await forward()
        self.seen[mark].append(request)
        if len(self.seen[mark]) != self.numbers[mark]:
            return await forward()
        self.met.add(mark)
        return await self.fault(forward)
