"""A provider's backend that tests start by themselves: it tells what reached it, and misbehaves when it is asked to."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

from sandbox.layout import Layout
from sandbox.pki import Authority, Certificate

__all__ = ["HOST", "Echo", "echo_backend"]

HOST = "echo.localhost"
"""Envoy resolves every name below localhost to loopback."""


@dataclass(frozen=True)
class Echo:
    """The running backend."""

    port: int
    host: str
    received: list[str] = field(default_factory=list)
    """The paths that were asked for, in order."""
    connections: set[socket.socket] = field(default_factory=set)
    """Those that are open."""

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Else each answer, written in two parts, waits 40 ms for an acknowledgement of the first."""
    echo: Echo
    over: threading.Event

    @override
    def setup(self) -> None:
        self.echo.connections.add(self.request)
        super().setup()

    @override
    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.echo.connections.discard(self.request)

    def _answer(self) -> None:
        self.echo.received.append(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        match self.path.strip("/").split("/"):
            case ["slow"]:
                self.over.wait(30)
                self.close_connection = True
            case ["garbage"]:
                self.wfile.write(b"this is no answer\r\n\r\n")
                self.close_connection = True
            case ["status", status]:
                self._say(int(status), {"erro": "do backend"})
            case _:
                headers = [[name.lower(), value] for name, value in self.headers.items()]
                told = {"path": self.path, "headers": headers, "length": len(body)}
                self._say(200, {**told, "host": self.echo.host, "caller": self._caller()})

    do_GET = do_POST = _answer  # noqa: N815 - names of the standard library's making

    def _caller(self) -> str | None:
        """The common name in the certificate that the caller has shown, if it had to."""
        connection = self.connection
        shown = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
        subject: Any = shown.get("subject", ()) if shown else ()
        names = [value for part in subject for key, value in part if key == "commonName"]
        return names[0] if names else None

    def _say(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    @override
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def echo_backend(
    layout: Layout, folder: Path, *, host: str = HOST, port: int = 0, callers: Path | None = None
) -> Iterator[Echo]:
    """A backend on loopback whose certificate the sandbox's CA has signed for its host.

    With `callers`, only who shows a certificate signed by these authorities is spoken to.
    """
    over = threading.Event()
    handler = type("Handler", (_Handler,), {"over": over})
    context = _tls(layout, folder, host)
    if callers is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(callers)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        echo = Echo(server.server_port, host)
        handler.echo = echo  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield echo
        finally:
            over.set()
            server.shutdown()
            thread.join()
            for connection in tuple(echo.connections):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _tls(layout: Layout, folder: Path, host: str) -> ssl.SSLContext:
    now = datetime.now(UTC)
    wanted = Certificate(name="echo", common_name="echo", names=(host,), server=True)
    certificate, key = Authority.ensure(layout, now).issue(wanted, now)
    file = folder / f"{host}.pem"
    file.touch(mode=0o600)
    file.write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
