"""A go-between that an operator reaches the API server and the issuer through, and that may interfere.

It runs in a thread of its own, speaks TLS by the sandbox's CA on both sides, and passes on whatever it gets, also
watches.
"""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from typing_extensions import override
from yarl import URL

from sandbox.layout import Layout
from sandbox.ports import APISERVER, HYDRA_ADMIN, HYDRA_PUBLIC

__all__ = ["Answer", "Cut", "GoBetween", "Interference", "Party", "Request", "pass_on"]

_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_T = TypeVar("_T")


class Party(StrEnum):
    """Whom a request is for; also the name of that server's certificate."""

    API_SERVER = "apiserver"
    ISSUER_ADMIN = "hydra"
    ISSUER_PUBLIC = "hydra-public"


_PORTS: Final = {Party.API_SERVER: APISERVER, Party.ISSUER_ADMIN: HYDRA_ADMIN, Party.ISSUER_PUBLIC: HYDRA_PUBLIC}


class Cut(Exception):
    """The connection ends here, without an answer."""


@dataclass(frozen=True)
class Request:
    """What the operator asks."""

    party: Party
    method: str
    path: str
    body: bytes = field(repr=False)

    @property
    def is_write(self) -> bool:
        """Whether it may change anything."""
        return self.method not in _READS

    def is_about(self, mark: str) -> bool:
        """Whether a mark, such as a part of a name that nothing else has, occurs in it."""
        return mark in self.path or mark.encode() in self.body

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]} at {self.party}"


@dataclass(frozen=True)
class Answer:
    """What the operator gets."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Forward = Callable[[], Awaitable[Answer]]
Interference = Callable[[Request, Forward], Awaitable[Answer]]
"""What is done about a request, other than forwarding it: raises Cut, forwards, or answers itself."""


async def pass_on(_: Request, forward: Forward) -> Answer:
    """No interference."""
    return await forward()


class GoBetween:
    """Listens within `with`; `interference` may be changed at any time."""

    def __init__(self, layout: Layout) -> None:
        self.interference: Interference = pass_on
        self._layout = layout
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="go-between")
        self._runners: dict[Party, web.ServerRunner] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, party: Party) -> str:
        """Where a party is reached through it."""
        return f"https://localhost:{self._runners[party].addresses[0][1]}"

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    async def _open(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self._layout.ca_file))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        for party in Party:
            runner = web.ServerRunner(
                web.Server(_Door(self, party, self._session), handler_cancellation=True), shutdown_timeout=1
            )
            await runner.setup()
            identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            name = party.removesuffix("-public")
            identity.load_cert_chain(self._layout.certificate(name), self._layout.key(name))
            await web.TCPSite(runner, "localhost", 0, ssl_context=identity).start()
            self._runners[party] = runner

    async def _close(self) -> None:
        for runner in self._runners.values():
            await runner.cleanup()
        await self._session.close()
        # An orderly end of TLS may outlast the event loop, and asyncio has no public list of what is open.
        for transport in [*self._loop._transports.values()]:  # type: ignore[attr-defined]
            transport.abort()
        await asyncio.sleep(0.05)


class _Door:
    """The handler of all requests for one party."""

    def __init__(self, house: GoBetween, party: Party, session: aiohttp.ClientSession) -> None:
        self._house, self._party, self._session = house, party, session

    async def __call__(self, came: web.BaseRequest) -> web.StreamResponse:
        request = Request(self._party, came.method, came.raw_path, await came.read())
        try:
            if "watch=true" in request.path:
                return await self._stream(came, request)
            answer = await self._house.interference(request, lambda: self._forward(came, request))
        except (Cut, aiohttp.ClientError):
            if came.transport is not None:
                came.transport.abort()
            return web.Response()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _forward(self, came: web.BaseRequest, request: Request) -> Answer:
        async with self._asked(came, request) as answer:
            return Answer(answer.status, _passed(answer.headers), await answer.read())

    async def _stream(self, came: web.BaseRequest, request: Request) -> web.StreamResponse:
        async with self._asked(came, request) as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed(answer.headers))
            await response.prepare(came)
            async for part in answer.content.iter_any():
                await response.write(part)
            return response

    @asynccontextmanager
    async def _asked(self, came: web.BaseRequest, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        url = URL(f"https://localhost:{_PORTS[self._party]}{request.path}", encoded=True)
        headers = _passed(came.headers)
        body = request.body or None  # else an empty one would be given a content type
        asking = self._session.request(request.method, url, headers=headers, data=body, allow_redirects=False)
        async with asking as answer:
            try:
                yield answer
            finally:
                # Whoever asked may be dead. TLS is not taken leave of: asyncio may forget sockets that wait for that.
                if answer.connection is not None and answer.connection.transport is not None:
                    answer.connection.transport.abort()


def _passed(headers: Mapping[str, str]) -> CIMultiDict[str]:
    ours = _HOP_BY_HOP | {"content-length"}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in ours)
