"""Requests byte by byte, over TLS: what no HTTP client would let out of the house."""

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

__all__ = ["NO_ANSWER", "RawGateway"]

NO_ANSWER = 0
"""In place of a status, when the connection was closed without one."""
PATIENCE = 15.0
QUIET = 0.1
"""How long a connection stays open after its first answer: whatever was hidden in the request has then been sent."""


class RawGateway:
    """The gateway's HTTPS port, and no HTTP client before it."""

    def __init__(self, port: int, ca_file: Path) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=str(ca_file))

    @contextlib.contextmanager
    def connection(self) -> Iterator[ssl.SSLSocket]:
        """A connection, closed at the end of the block."""
        with (
            socket.create_connection(("127.0.0.1", self._port), PATIENCE) as plain,
            self._context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            yield secure

    def send(self, request: bytes) -> int:
        """The status of the (first) answer to these bytes."""
        with self.connection() as stream:
            with contextlib.suppress(ConnectionError, ssl.SSLError):  # refused while we still wrote
                stream.sendall(request)
            status = status_of(stream)
            stream.settimeout(QUIET)
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                stream.recv(65536)
            return status


def status_of(stream: ssl.SSLSocket) -> int:
    """Wait for an answer's first lines, and read the status."""
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while b"\r\n\r\n" not in data and (more := stream.recv(65536)):
            data += more
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", data)
    return int(match[1]) if match else NO_ANSWER
