"""Whether a service answers, asked as its clients ask: by HTTPS and the sandbox's CA, or at a socket."""

import http.client
import json
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Answer", "answers", "listens", "listens_at", "request", "responds", "tls_context"]


class Answer(NamedTuple):
    """What came back for a request."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as what its JSON says."""
        return json.loads(self.body)


def tls_context(ca_file: Path, client: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """Return a context that trusts this CA only, with a client certificate where one is needed."""
    context = ssl.create_default_context(cafile=str(ca_file))
    if client:
        context.load_cert_chain(*map(str, client))
    return context


def request(
    method: str,
    port: int,
    path: str,
    *,
    tls: ssl.SSLContext | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    time_limit: float = 10.0,
) -> Answer:
    """Send one request to a service on this machine."""
    connection = (
        http.client.HTTPSConnection("localhost", port, timeout=time_limit, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=time_limit)
    )
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def answers(
    port: int, path: str, *, ca_file: Path | None = None, client: tuple[Path, Path] | None = None
) -> Callable[[], bool]:
    """Return a probe that holds when GET on this path answers 200."""

    def probe() -> bool:
        try:
            tls = tls_context(ca_file, client) if ca_file else None
            return request("GET", port, path, tls=tls, time_limit=2.0).status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    return probe


def responds(port: int, ca_file: Path) -> Callable[[], bool]:
    """Return a probe that holds when there is an HTTPS server, whatever it says."""

    def probe() -> bool:
        try:
            request("GET", port, "/", tls=tls_context(ca_file), time_limit=2.0)
        except (OSError, http.client.HTTPException):
            return False
        return True

    return probe


def listens_at(port: int) -> Callable[[], bool]:
    """Return a probe that holds when somebody accepts connections at this port of loopback."""

    def probe() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2.0).close()
        except OSError:
            return False
        return True

    return probe


def listens(path: Path) -> Callable[[], bool]:
    """Return a probe that holds when somebody accepts connections at this Unix socket, however long its path is."""

    def probe() -> bool:
        try:
            folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        except OSError:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(2.0)
                client.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            return False
        finally:
            os.close(folder)
        return True

    return probe
