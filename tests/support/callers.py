"""Callers that keep calling at their rate whatever becomes of the platform, and what each call was answered."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from sandbox.layout import Layout
from tests.support.application import CPF
from tests.support.traffic import Call, at_the_gateway

__all__ = ["CONNECTIONS", "NO_ANSWER", "Caller", "bearer", "calling"]

NO_ANSWER: Final = 0
"""In the place of a status: the connection was refused, or broke."""
CONNECTIONS: Final = 8
"""That a caller keeps alive, and uses again."""


def bearer(token: str) -> dict[str, str]:
    """What a call with a token brings along."""
    return {"authorization": f"Bearer {token}", "x-cpf-usuario": CPF}


@dataclass
class Caller:
    """Calls so many times a second, each on time."""

    path: str
    headers: Mapping[str, str]
    rate: float
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    """That were opened."""

    def statuses(self, since: float, until: float) -> set[int]:
        """Of the calls that were wholly between two moments."""
        return {call.status for call in self.calls if since < call.started and call.ended < until}

    async def call_on_and_on(self, layout: Layout) -> None:
        """Until cancelled."""
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._count)
        async with (
            at_the_gateway(layout, connections=CONNECTIONS, trace=trace) as session,
            asyncio.TaskGroup() as group,
        ):
            started, number = time.monotonic(), 0
            while True:
                await asyncio.sleep(started + number / self.rate - time.monotonic())
                group.create_task(self._call(session))
                number += 1

    async def _call(self, session: aiohttp.ClientSession) -> None:
        started, status = time.monotonic(), NO_ANSWER
        try:
            async with session.get(self.path, headers=self.headers) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        self.calls.append(Call(started, time.monotonic(), status))

    async def _count(self, *_: object) -> None:
        self.connections += 1


@asynccontextmanager
async def calling(layout: Layout, *callers: Caller) -> AsyncIterator[None]:
    """Have all of them call until this is left; what isn't answered by then is nobody's."""
    tasks = [asyncio.create_task(caller.call_on_and_on(layout)) for caller in callers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
