"""The Kubernetes API in plain JSON: reading, listing, patching, and who we are."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import responses
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

from kubernetes.client.api_client import ApiClient
from kubernetes.client.exceptions import ApiException
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from conecta_cli.errors import Conflict, Forbidden, NotFound, ServerRefused, Unreachable
from conecta_cli.server.access import Access
from conecta_operator.api.objects import Kind, Manifest, ObjectKey

__all__ = ["Server"]

_PAGE_SIZE: Final = 500
_FIELD_MANAGER: Final = "kubectl-conecta"
_REFUSALS: Final[Mapping[int, type[ServerRefused]]] = {
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
}


class Server:
    """An API server, with somebody's rights. All methods raise ServerRefused or Unreachable."""

    def __init__(self, access: Access, *, request_timeout: float) -> None:
        self._host = access.configuration.host
        self._impersonation = access.impersonation.headers if access.impersonation else ()
        self._timeout = request_timeout
        try:
            self._client = ApiClient(access.configuration)
        except OSError as error:
            raise Unreachable(f"the certificates for {self._host} are of no use: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, key: ObjectKey) -> Manifest:
        """The object."""
        return self._send("GET", _path(key.kind, key.namespace, key.name))

    def list(self, kind: Kind, namespace: str = "", labels: str = "") -> list[Manifest]:
        """All objects of a kind, of one namespace if one is given."""
        query = {"limit": str(_PAGE_SIZE), **({"labelSelector": labels} if labels else {})}
        found: list[Manifest] = []
        while True:
            page = self._send("GET", _path(kind, namespace), query)
            items = page.get("items") or []
            found += [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in items]
            query["continue"] = (page.get("metadata") or {}).get("continue") or ""
            if not query["continue"]:
                return found

    def patch(self, key: ObjectKey, patch: Manifest, subresource: str = "") -> Manifest:
        """The object after a JSON merge patch (RFC 7386)."""
        path = _path(key.kind, key.namespace, key.name, subresource)
        return self._send("PATCH", path, {"fieldManager": _FIELD_MANAGER, "fieldValidation": "Strict"}, patch)

    def user_name(self) -> str:
        """Who the API server takes us for."""
        kind = Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview")
        review = self._send("POST", _path(kind), body={"apiVersion": kind.api_version, "kind": kind.name})
        return str(review["status"]["userInfo"]["username"])

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Manifest | None = None
    ) -> Manifest:
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            response = self._client.call_api(method, url, self._headers(method), body, _request_timeout=self._timeout)
            content = response.read()
        except (HTTPError, ApiException, OSError) as error:
            raise Unreachable(f"no answer from the API server {self._host}: {_in_one_line(error)}") from None
        answer = _parsed(content)
        if response.status not in range(200, 300):
            raise _refusal(response.status, answer, path)
        if answer is None:
            raise Unreachable(f"{self._host} answers, but not as an API server does")
        return answer

    def _headers(self, method: str) -> HTTPHeaderDict:
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = HTTPHeaderDict({"Accept": "application/json", "Content-Type": content_type})
        headers["User-Agent"] = _FIELD_MANAGER
        token = self._client.configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        for name, value in self._impersonation:
            headers.add(name, value)
        return headers


def _path(kind: Kind, namespace: str = "", name: str = "", subresource: str = "") -> str:
    parts = ["apis", kind.group, kind.version] if kind.group else ["api", kind.version]
    parts += ["namespaces", namespace] if namespace else []
    parts += [part for part in (kind.plural, name, subresource) if part]
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _parsed(content: bytes) -> Manifest | None:
    try:
        value: Any = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refusal(status: int, answer: Manifest | None, path: str) -> ServerRefused:
    said = answer if answer is not None and answer.get("kind") == "Status" else {}
    reason = str(said.get("reason") or responses.get(status, str(status)).replace(" ", ""))
    message = " ".join(str(said.get("message") or f"it answers {status} to {path}").split())
    if status == HTTPStatus.NOT_FOUND and not (said.get("details") or {}).get("name"):
        message = f"{message} ({path}): is Conecta installed in this cluster?"
    return _REFUSALS.get(status, ServerRefused)(reason, message)


def _in_one_line(error: Exception) -> str:
    text = getattr(error, "reason", None) or error
    return " ".join(str(text).split()) or type(error).__name__
