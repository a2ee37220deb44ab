"""A provider's backend of a test's own: HTTPS on loopback, answers 200 to whatever comes, and remembers all of it.

It reads requests as the gateway delimits them, and no further: a second request hidden in the first one would be
remembered as one more. What the gateway breaks off halfway is no request, and gets no answer.
"""

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path

from typing_extensions import override

from sandbox.layout import Layout
from sandbox.pki import Authority, Certificate

__all__ = ["Received", "RecordingBackend", "recording_backend"]


@dataclass(frozen=True)
class Received:
    """One request as it came: its target without decoding, its head to the byte, its body."""

    method: str
    target: str
    head: bytes
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        fields = (line.decode("latin-1").partition(":") for line in self.head.split(b"\r\n")[1:])
        return [value.strip() for field, _, value in fields if field.lower() == name.lower()]


class RecordingBackend(socketserver.ThreadingTCPServer):
    """The server; one thread a connection."""

    daemon_threads = False
    """The block ends when all threads have."""
    request_queue_size = 64

    def __init__(self, host: str, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.context = context
        self.received: list[Received] = []
        self.connections: set[ssl.SSLSocket] = set()
        self.url = f"https://{host}:{self.server_address[1]}"


class _Connection(socketserver.StreamRequestHandler):
    server: RecordingBackend

    @override
    def setup(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.server.connections.add(self.request)
        super().setup()

    @override
    def handle(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.server.received.append(_next_request(self.rfile))
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    @override
    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.server.connections.discard(self.request)
        self.request.close()


def _next_request(stream: BufferedIOBase) -> Received:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _whole_line(stream)
    method, target, _ = head.decode("latin-1").split(" ", 2)
    sent = Received(method, target, head, b"")
    if sent.values("transfer-encoding"):
        body = b"".join(_chunks(stream))
    else:
        body = _exactly(int("".join(sent.values("content-length")) or 0), stream)
    return Received(method, target, head, body)


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := int(_whole_line(stream).split(b";")[0], 16):
        yield _exactly(size, stream)
        _whole_line(stream)
    while _whole_line(stream) != b"\r\n":  # trailers
        pass


def _whole_line(stream: BufferedIOBase) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line


def _exactly(size: int, stream: BufferedIOBase) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


@contextlib.contextmanager
def recording_backend(layout: Layout, host: str, folder: Path) -> Iterator[RecordingBackend]:
    """Serve as a host below `localhost`, with a certificate of the sandbox's CA, until the block ends."""
    now = datetime.now(UTC)
    certificate, key = Authority.ensure(layout, now).issue(
        Certificate(name="backend", common_name="backend", names=(host,), server=True), now
    )
    pem = folder / "backend.pem"
    pem.write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with RecordingBackend(host, context) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            for connection in tuple(server.connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
