"""A server that answers as the test says, for the adapters to talk to by real HTTP."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Request:
    """What was received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


@dataclass
class ScriptedServer:
    """Answers with each of `answers` in turn, the last one for ever."""

    answers: list[tuple[int, str | bytes]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    link: str = ""
    """Header `Link` of every answer."""
    hangs: str = ""
    """`before` the head of the answer or `within` its body: from there on nothing comes."""
    url: str = ""

    def says(self, status: int, content: object) -> None:
        """The next answer after those before: bytes and text as they are, anything else as JSON."""
        self.answers.append((status, content if isinstance(content, str | bytes) else json.dumps(content)))

    def now_says(self, status: int, content: object) -> None:
        """The only answer from now on."""
        self.answers.clear()
        self.says(status, content)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Record the request and answer."""
        body = await request.text()
        self.requests.append(
            Request(request.method, request.raw_path.split("?")[0], dict(request.query), dict(request.headers), body)
        )
        if self.hangs:
            return await self._hang(request)
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        raw = content.encode() if isinstance(content, str) else content
        raw = raw.replace(b"ECHO", json.dumps(body)[1:-1].encode())
        return web.Response(status=status, body=raw, headers={"Link": self.link}, content_type="application/json")

    async def _hang(self, request: web.Request) -> web.StreamResponse:
        if self.hangs == "within":
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b'{"metadata"')
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    script = ScriptedServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", script.handle)
    async with TestServer(application, shutdown_timeout=0) as running:
        script.url = str(running.make_url("/")).rstrip("/")
        yield script


def shown(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """All that people get to see of an error, and all that was logged."""
    return "\n".join([*traceback.format_exception(error), repr(error), str(error), caplog.text])
