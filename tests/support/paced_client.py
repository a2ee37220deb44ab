"""An application under load that never has more calls under way than connections: a slow machine slows it down."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from sandbox.layout import Layout
from tests.support.application import TOKEN_PATH, Key
from tests.support.callers import bearer
from tests.support.traffic import at_the_gateway

__all__ = ["PacedClient"]

_CONNECTIONS: Final = 8
_KEEPS_A_TOKEN: Final = 1.0
"""Seconds, instead of nearly two hours: so that tokens are got all the time."""


@dataclass
class PacedClient:
    """Calls at most so many times a second, with a fresh token each second. An answer that fails to come is raised."""

    layout: Layout
    path: str
    key: Key
    rate: int
    statuses: list[int] = field(default_factory=list)
    """Of all calls."""
    token_statuses: list[int] = field(default_factory=list)
    """Of all requests for a token."""
    _token: str = ""

    async def run(self) -> None:
        """Until cancelled."""
        async with at_the_gateway(self.layout, connections=_CONNECTIONS + 1) as session:
            await self._renew(session)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew_on_and_on(session))
                for _ in range(_CONNECTIONS):
                    group.create_task(self._call_on_and_on(session))

    async def _call_on_and_on(self, session: aiohttp.ClientSession) -> None:
        while True:
            started = time.monotonic()
            async with session.get(self.path, headers=bearer(self._token)) as answer:
                await answer.read()
            self.statuses.append(answer.status)
            await asyncio.sleep(started + _CONNECTIONS / self.rate - time.monotonic())

    async def _renew_on_and_on(self, session: aiohttp.ClientSession) -> None:
        while True:
            await asyncio.sleep(_KEEPS_A_TOKEN)
            await self._renew(session)

    async def _renew(self, session: aiohttp.ClientSession) -> None:
        form, headers = {"grant_type": "client_credentials"}, {"authorization": self.key.basic}
        async with session.post(TOKEN_PATH, data=form, headers=headers) as answer:
            self.token_statuses.append(answer.status)
            self._token = (await answer.json())["access_token"]
