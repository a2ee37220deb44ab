"""Calls that go on and on over connections that are kept alive, and the grant's status as a watch sees it meanwhile."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Self

import aiohttp

from conecta_operator.api.objects import Manifest
from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from sandbox.ports import APISERVER
from tests.support.application import CPF

__all__ = ["Call", "StatusWatch", "Traffic", "at_the_gateway", "traffic", "watching"]

CONNECTIONS: Final = 4
"""More than Envoy has workers here: each of them learns of a change for itself."""
PAUSE: Final = 0.005
"""Between two calls of a connection, so that two cores are left with something for the platform."""


@dataclass(frozen=True)
class Call:
    """One call, by the monotonic clock."""

    started: float
    ended: float
    status: int


@dataclass
class Traffic:
    """What came of the calls so far. `connections` counts those that were opened."""

    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def notice(self, call: Call) -> None:
        """Take one more call."""
        self.calls.append(call)
        self._news.set()

    def since(self, moment: float) -> list[Call]:
        """The calls that started after a moment."""
        return [call for call in self.calls if call.started > moment]

    async def until(self, holds: Callable[[Self], bool], seconds: float) -> None:
        """Return when something holds of the calls."""
        async with asyncio.timeout(seconds):
            while not holds(self):
                self._news.clear()
                await self._news.wait()

    async def until_refused(self, moment: float, seconds: float) -> float:
        """How long after a moment the first call was refused."""
        await self.until(lambda seen: any(call.status != 200 for call in seen.since(moment)), seconds)
        return next(call.ended for call in self.calls if call.started > moment and call.status != 200) - moment


@asynccontextmanager
async def at_the_gateway(
    layout: Layout, *, connections: int = 1, trace: aiohttp.TraceConfig | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the gateway that keeps its connections alive, and opens no more than so many."""
    context = ssl.create_default_context(cafile=str(layout.ca_file))
    async with aiohttp.ClientSession(
        GATEWAY_URL,
        connector=aiohttp.TCPConnector(limit=connections, ssl=context, keepalive_timeout=300),
        trace_configs=[trace] if trace is not None else [],
        timeout=aiohttp.ClientTimeout(total=10),
    ) as session:
        yield session


@asynccontextmanager
async def traffic(layout: Layout, path: str, token: str, *, connections: int = CONNECTIONS) -> AsyncIterator[Traffic]:
    """Call with this token, over each of some connections as fast as it goes, until this is left."""
    seen = Traffic()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_call_on_and_on(layout, path, token, seen)) for _ in range(connections)]
        await seen.until(lambda traffic: len(traffic.calls) >= 2 * connections, 10)
        yield seen
        for task in tasks:
            task.cancel()
    assert seen.connections == connections, "a connection was closed"


async def _call_on_and_on(layout: Layout, path: str, token: str, seen: Traffic) -> None:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_counts_in(seen))
    headers = {"authorization": f"Bearer {token}", "x-cpf-usuario": CPF}
    async with at_the_gateway(layout, trace=trace) as session:
        while True:
            started = time.monotonic()
            async with session.get(path, headers=headers) as answer:
                await answer.read()
            seen.notice(Call(started, time.monotonic(), answer.status))
            await asyncio.sleep(PAUSE)


def _counts_in(seen: Traffic) -> Callable[..., Awaitable[None]]:
    async def count(*_: object) -> None:
        seen.connections += 1

    return count


class StatusWatch:
    """The states of one object and when each was seen; None when it is gone."""

    def __init__(self) -> None:
        self.states: list[tuple[float, Manifest | None]] = []
        self._news = asyncio.Event()

    def notice(self, event: Manifest) -> None:
        """Take an event of the watch."""
        self.states.append((time.monotonic(), event["object"] if event["type"] != "DELETED" else None))
        self._news.set()

    async def until(self, says: Callable[[Manifest | None], bool], *, after: float, seconds: float) -> float:
        """When the object first said something, of the states seen after a moment."""
        async with asyncio.timeout(seconds):
            while True:
                for seen, state in self.states:
                    if seen > after and says(state):
                        return seen
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def watching(
    layout: Layout, namespace: str, name: str, plural: str = "conectagrants"
) -> AsyncIterator[StatusWatch]:
    """Watch one object until this is left."""
    context = ssl.create_default_context(cafile=str(layout.ca_file))
    context.load_cert_chain(layout.certificate("admin"), layout.key("admin"))
    address = f"https://127.0.0.1:{APISERVER}"
    path = f"/apis/conecta.gov.br/v1alpha1/namespaces/{namespace}/{plural}"
    query = {"watch": "true", "fieldSelector": f"metadata.name={name}"}
    watch = StatusWatch()
    async with (
        aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(ssl=context), read_bufsize=2**20) as session,
        session.get(path, params=query, timeout=aiohttp.ClientTimeout(total=None)) as answer,
    ):
        reading = asyncio.create_task(_read(answer, watch))
        try:
            yield watch
        finally:
            reading.cancel()
            _cut(answer)


def _cut(answer: aiohttp.ClientResponse) -> None:
    """End the connection here and now: an orderly end would outlast the event loop."""
    connection = answer.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


async def _read(answer: aiohttp.ClientResponse, watch: StatusWatch) -> None:
    async for line in answer.content:
        watch.notice(json.loads(line))
