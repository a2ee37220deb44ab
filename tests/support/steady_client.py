"""An application under load that lives through a rotation of its key as the documentation tells it to."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from sandbox.layout import Layout
from tests.support.application import CPF, TOKEN_PATH, Key, key_in
from tests.support.traffic import at_the_gateway

__all__ = ["SteadyClient"]

_CONNECTIONS: Final = 8
_LOOKS_AT_ITS_SECRET: Final = 0.5
"""Seconds between two looks: a kubelet brings a changed Secret into a pod much later."""
_KEEPS_A_TOKEN: Final = 1.0
"""Seconds, instead of nearly two hours: so that tokens are got all the time, also during the rotation."""


@dataclass
class SteadyClient:
    """Calls so many times a second, each on time, whatever becomes of the others."""

    layout: Layout
    path: str
    namespace: str
    secret: str
    rate: int
    statuses: list[int] = field(default_factory=list)
    """Of all calls."""
    tokens: list[tuple[str, int]] = field(default_factory=list)
    """Of all requests for a token: whose key, and the status."""
    _key: Key | None = None

    async def run(self, seconds: float) -> None:
        """Call for so long; return when the last call is answered."""
        self._key = await asyncio.to_thread(key_in, self.namespace, self.secret)
        async with at_the_gateway(self.layout, connections=_CONNECTIONS) as session:
            token = await self._new_token(session)
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read_the_secret_again_and_again())
                await self._call_steadily(session, group, token, seconds)
                reading.cancel()

    async def _call_steadily(
        self, session: aiohttp.ClientSession, group: asyncio.TaskGroup, token: str, seconds: float
    ) -> None:
        started = renewed = time.monotonic()
        for number in range(int(seconds * self.rate)):
            await asyncio.sleep(started + number / self.rate - time.monotonic())
            if time.monotonic() - renewed > _KEEPS_A_TOKEN:
                token, renewed = await self._new_token(session), time.monotonic()
            group.create_task(self._call(session, token))

    async def _call(self, session: aiohttp.ClientSession, token: str) -> None:
        headers = {"authorization": f"Bearer {token}", "x-cpf-usuario": CPF}
        async with session.get(self.path, headers=headers) as answer:
            await answer.read()
        self.statuses.append(answer.status)

    async def _new_token(self, session: aiohttp.ClientSession) -> str:
        assert self._key is not None
        key, form = self._key, {"grant_type": "client_credentials"}
        async with session.post(TOKEN_PATH, data=form, headers={"authorization": key.basic}) as answer:
            self.tokens.append((key.client_id, answer.status))
            token: str = (await answer.json())["access_token"]
        return token

    async def _read_the_secret_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOKS_AT_ITS_SECRET)
            self._key = await asyncio.to_thread(key_in, self.namespace, self.secret)
