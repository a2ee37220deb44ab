"""An API server that holds a few objects and says who may do what, for the plugin to talk to by real HTTP."""

import copy
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from conecta_operator.api.objects import Manifest

__all__ = ["ApiServer", "Request", "merged", "served"]

_OBJECT = re.compile(
    r"/apis?/(?:[^/]+/)?v[^/]+(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/status)?"
)
_VERBS = {"GET": "get", "PATCH": "patch"}


@dataclass(frozen=True)
class Request:
    """What was received. Headers may occur more than once."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: tuple[tuple[str, str], ...]
    body: Any

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for given, value in self.headers if given.lower() == name.lower()]


Answer = tuple[int, Any]


@dataclass
class ApiServer:
    """The objects by (plural, namespace, name), and what is refused: (verb, plural, namespace), `*` for all of them."""

    objects: dict[tuple[str, str, str], Manifest] = field(default_factory=dict)
    refused: set[tuple[str, str, str]] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    before_patch: list[Callable[[], None]] = field(default_factory=list)
    """Each is called once, in turn, before a patch is looked at: what others do in that moment."""
    after_patch: list[Callable[[], None]] = field(default_factory=list)
    """The same, after a patch is done."""
    raw: Answer | None = None
    """Answers everything, if given."""
    url: str = ""
    page_size: int = 500
    _version: int = 1000

    def put(self, plural: str, manifest: Manifest) -> Manifest:
        """Hold an object; it is the one that is held, so that a test may change it."""
        metadata = manifest["metadata"]
        self.objects[plural, metadata.get("namespace", ""), metadata["name"]] = manifest
        self.touch(manifest)
        return manifest

    def touch(self, manifest: Manifest) -> None:
        """Give the object a new resourceVersion, as every write does."""
        self._version += 1
        manifest["metadata"]["resourceVersion"] = str(self._version)

    @property
    def patches(self) -> list[Request]:
        """The writes that were asked for."""
        return [request for request in self.requests if request.method == "PATCH"]

    def answer(self, request: Request) -> Answer:
        """What the API server says."""
        self.requests.append(request)
        if self.raw is not None:
            return self.raw
        if request.path.endswith("/selfsubjectreviews"):
            return 201, {"status": {"userInfo": {"username": (request.header("Impersonate-User") or ["ana"])[0]}}}
        found = _OBJECT.fullmatch(request.path)
        assert found is not None, request.path
        plural, namespace, name = found["plural"], found["namespace"] or "", found["name"] or ""
        return self._answer_about(plural, namespace, name, request) if name else self._list(plural, namespace, request)

    def _answer_about(self, plural: str, namespace: str, name: str, request: Request) -> Answer:
        if self._refuses(_VERBS[request.method], plural, namespace):
            return _refusal(403, "Forbidden", plural, name, f'{plural} "{name}" is forbidden: User "ana" cannot')
        if (plural, namespace, name) not in self.objects:
            return _refusal(404, "NotFound", plural, name, f'{plural} "{name}" not found')
        held = self.objects[plural, namespace, name]
        of_status = request.path.endswith("/status")
        return (200, held) if request.method == "GET" else self._patch(held, request, of_status=of_status)

    def _refuses(self, verb: str, plural: str, namespace: str) -> bool:
        return bool({(verb, plural, namespace), (verb, plural, "*")} & self.refused)

    def _list(self, plural: str, namespace: str, request: Request) -> Answer:
        if self._refuses("list", plural, namespace):
            return _refusal(403, "Forbidden", plural, "", f'{plural} is forbidden: User "ana" cannot list')
        held = [o for (kind, where, _), o in self.objects.items() if kind == plural and namespace in {"", where}]
        start = int(request.query.get("continue", ["0"])[0])
        rest = str(start + self.page_size) if start + self.page_size < len(held) else ""
        items = [{k: v for k, v in o.items() if k not in {"apiVersion", "kind"}} for o in held]
        return 200, {"metadata": {"continue": rest}, "items": items[start : start + self.page_size]}

    def _patch(self, held: Manifest, request: Request, *, of_status: bool) -> Answer:
        if self.before_patch:
            self.before_patch.pop(0)()
        patch = request.body
        version = (patch.get("metadata") or {}).get("resourceVersion")
        if version not in {None, held["metadata"]["resourceVersion"]}:
            return _refusal(409, "Conflict", "conectagrants", held["metadata"]["name"], "the object has been modified")
        part = "status" if of_status else "spec"
        before = copy.deepcopy(held.get(part))
        held[part] = merged(held.get(part, {}), patch.get(part, {}))
        if held[part] != before:
            self.touch(held)
            held["metadata"]["generation"] += 0 if of_status else 1
        answer = copy.deepcopy(held)
        if self.after_patch:
            self.after_patch.pop(0)()
        return 200, answer


def merged(old: Any, patch: Any) -> Any:
    """What a JSON merge patch makes of a value (RFC 7386, section 2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _refusal(code: int, reason: str, kind: str, name: str, message: str) -> Answer:
    details = {"kind": kind} | ({"name": name} if name else {})
    return code, {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


@contextmanager
def served(answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server on loopback that answers so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            is_json = self.headers.get("Content-Type", "").endswith("json")
            content = json.loads(body) if body and is_json else body
            request = Request(self.command, parts.path, parse_qs(parts.query), tuple(self.headers.items()), content)
            status, said = answer(request)
            raw = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - http.server's names

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
