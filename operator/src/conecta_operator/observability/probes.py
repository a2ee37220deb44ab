"""A very small HTTP server for probes and metrics.

It answers from the event loop in which the operator works: if that hangs, so does the answer, as it should.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

__all__ = ["Page", "serve"]

_PATIENCE: Final = 5.0
"""Seconds that a client may take for its request: probes and scrapers send it at once."""
_LONGEST_HEAD: Final = 16 * 1024


@dataclass(frozen=True)
class Page:
    """One answer."""

    status: HTTPStatus
    content_type: str
    body: bytes


_NOT_FOUND: Final = Page(
    HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"there is /healthz, /readyz and /metrics\n"
)
_BAD_REQUEST: Final = Page(HTTPStatus.BAD_REQUEST, "text/plain; charset=utf-8", b"only GET is understood\n")


async def serve(*, address: str, port: int, pages: Mapping[str, Callable[[], Page]]) -> None:
    """Answer GET requests for these paths until cancelled. Raises OSError when the port can't be had."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_encoded(_page(head, pages)))
                    await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(answer, address, port, limit=_LONGEST_HEAD)
    async with server:
        await server.serve_forever()


def _page(head: bytes, pages: Mapping[str, Callable[[], Page]]) -> Page:
    request_line = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
    if len(request_line) != 3 or request_line[0] != "GET":  # noqa: PLR2004 - method, target, version
        return _BAD_REQUEST
    page = pages.get(request_line[1].partition("?")[0])
    return page() if page is not None else _NOT_FOUND


def _encoded(page: Page) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
        f"Content-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + page.body
