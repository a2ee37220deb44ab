"""The Kubernetes API by the official client's asyncio part, in plain JSON: its typed models are never filled."""

import os
import re
import socket
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import aiohttp
import yaml
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from conecta_operator.api.objects import MANAGED_BY, SECRET, Kind, Manifest, ObjectKey, key_of
from conecta_operator.apply.access import ApiServer
from conecta_operator.apply.failures import NETWORK_FAILURES, cause_of, json_in
from conecta_operator.errors import ClusterUnavailable, Conflict, OperatorError, Rejected

__all__ = ["KubernetesCluster"]

_EVENT: Final = Kind("events.k8s.io", "v1", "events", "Event")
_REFERENCE: Final = ("namespace", "name", "uid", "resourceVersion")
_LONGEST_NOTE: Final = 1024
_LONGEST_EXPLANATION: Final = 1000
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
"""What to accept of a watch, and with `List` in it of a list."""
_LONGEST_STREAM: Final = timedelta(minutes=5)
_SHORTEST_STREAM: Final = 1.0
"""Seconds: one that ends sooner is the API server's, or a proxy's, way to refuse, and must not be asked for at once."""
_LONGEST_SILENCE: Final = timedelta(seconds=70)
"""The API server sends a bookmark each minute: a stream that is silent for longer is dead."""
_REREAD_AFTER: Final = timedelta(minutes=1)
_REFUSALS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_WRITTEN_BY_US: Final = {"fieldManager": MANAGED_BY, "fieldValidation": "Strict"}
"""Strict: a field that the API server doesn't know would else be dropped, and differ from what we want for ever."""


class KubernetesCluster:
    """A `Cluster` behind an API server. Connected within `async with`, which raises ClusterUnavailable without access.

    `kubeconfig` is a path, as in the variable KUBECONFIG, which is the default; without either it is the service
    account of the pod that we run in. Both are read again every minute, and after the API server refused a token.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        *,
        time_limit: timedelta = timedelta(seconds=10),
        page_size: int = 500,
    ) -> None:
        self._access = _Access(kubeconfig or os.environ.get("KUBECONFIG"))
        self._timeout = aiohttp.ClientTimeout(total=time_limit.total_seconds())
        self._page_size = page_size

    async def __aenter__(self) -> Self:
        await self._access.read()
        try:
            self._client = ApiClient(self._access.configuration)
        except OSError as failure:
            raise ClusterUnavailable(f"cannot use the certificates for the API server: {cause_of(failure)}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def api_server(self) -> ApiServer:
        """Where the API server is and who we are there, read anew."""
        await self._access.read()
        return self._access.api_server

    async def get(self, key: ObjectKey) -> Manifest | None:
        """See Cluster. A name that no object can have (users write names) is the name of no object."""
        if not _can_exist(key):
            return None
        return await self._call("GET", key)

    async def list(self, kind: Kind, *, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """See Cluster."""
        query = {"limit": str(self._page_size)}
        if labels:
            query["labelSelector"] = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        found: list[Manifest] = []
        while True:
            page = (await self._send("GET", f"{_path(kind, namespace)}?{urlencode(query)}")).manifest(f"list {kind}")
            found += [{"apiVersion": kind.api_version, "kind": kind.name} | item for item in page.get("items") or []]
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return found

    async def offers(self, kind: Kind) -> bool:
        """See Cluster."""
        answer = await self._send("GET", _root(kind))
        return kind.plural in answer.offered(f"look up {kind}")

    async def version(self, kind: Kind, *, namespace: str) -> str:
        """See WatchableCluster."""
        answer = await self._send("GET", f"{_path(kind, namespace)}?limit=1", accept=_METADATA_ONLY.format("List"))
        return str(answer.manifest(f"list {kind} in {namespace}")["metadata"]["resourceVersion"])

    async def changes(self, kind: Kind, *, namespace: str, since: str) -> AsyncIterator[tuple[str, Manifest]]:
        """See WatchableCluster."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": f"{_LONGEST_STREAM.seconds}"}
        while True:
            path = f"{_path(kind, namespace)}?{urlencode(query | {'resourceVersion': since})}"
            opened = time.monotonic()
            async for event in self._stream(path, f"watch {kind} in {namespace}"):
                if event["type"] == "ERROR":
                    return
                since = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    yield event["type"], event["object"] | {"apiVersion": kind.api_version, "kind": kind.name}
            if time.monotonic() - opened < _SHORTEST_STREAM:
                return

    async def create(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        key = key_of(manifest)
        return await self._create(key.kind, key.namespace, key.name, manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        version = manifest["metadata"]["resourceVersion"]
        key = key_of(manifest)
        stored = await self._call("PUT", key, query=_WRITTEN_BY_US, body=manifest)
        if stored is None:
            raise Conflict(f"{key} is gone since resourceVersion {version}")
        return stored

    async def delete(self, manifest: Manifest) -> None:
        """See Cluster."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": manifest["metadata"]["uid"]},
            "propagationPolicy": "Background",
        }
        await self._call("DELETE", key_of(manifest), body=options)

    async def patch_status(self, manifest: Manifest, status: Manifest) -> Manifest:
        """See Cluster."""
        version = manifest["metadata"]["resourceVersion"]
        key = key_of(manifest)
        patch = {"metadata": {"resourceVersion": version}, "status": status}
        stored = await self._call("PATCH", key, subresource="/status", query=_WRITTEN_BY_US, body=patch)
        if stored is None:
            raise Conflict(f"{key} is gone since resourceVersion {version}")
        return stored

    async def record_event(self, about: Manifest, *, type_: str, reason: str, message: str) -> None:
        """See Cluster."""
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        name = f"{metadata['name'][:200]}.{uuid.uuid4().hex[:16]}"
        event = {
            "apiVersion": _EVENT.api_version,
            "kind": _EVENT.name,
            "metadata": {"namespace": namespace, "name": name},
            "eventTime": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "reportingController": MANAGED_BY,
            "reportingInstance": socket.gethostname(),
            "action": "Reconcile",
            "type": type_,
            "reason": reason,
            "note": message.encode()[:_LONGEST_NOTE].decode(errors="ignore"),
            "regarding": {"apiVersion": about["apiVersion"], "kind": about["kind"]}
            | {part: metadata[part] for part in _REFERENCE if part in metadata},
        }
        await self._create(_EVENT, namespace, name, event)

    async def _create(self, kind: Kind, namespace: str, name: str, manifest: Manifest) -> Manifest:
        path = f"{_path(kind, namespace)}?{urlencode(_WRITTEN_BY_US)}"
        answer = await self._send("POST", path, body=manifest, content_type="application/json")
        return answer.manifest(f"create {ObjectKey(kind, namespace, name)}", secret=kind == SECRET)

    async def _call(
        self,
        method: str,
        key: ObjectKey,
        *,
        subresource: str = "",
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
    ) -> Manifest | None:
        """One object as the answer has it; None when the API server says that there is no such object."""
        action = f"{method.lower()} {key}{subresource}"
        if not _can_exist(key):
            raise Rejected(f"{action}: no object can have this name")
        path = f"{_path(key.kind, key.namespace)}/{quote(key.name, safe='')}{subresource}"
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = await self._send(method, f"{path}?{urlencode(query or {})}", body=body, content_type=content_type)
        holds_secret = key.kind == SECRET and method == "PUT"
        return None if answer.tells_absence_of(key) else answer.manifest(action, secret=holds_secret)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Manifest | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> "_Answer":
        headers = {"Accept": accept, "Content-Type": content_type}
        try:
            response = await self._open(method, path, headers=headers, body=body, limits=self._timeout)
            content = await response.read()
        except NETWORK_FAILURES as failure:
            raise ClusterUnavailable(f"the API server, asked to {method} {path}: {cause_of(failure)}") from None
        if response.status == HTTPStatus.UNAUTHORIZED:
            self._access.distrust()
        return _Answer(response.status, content)

    async def _stream(self, path: str, action: str) -> AsyncIterator[Manifest]:
        """The events of one watch until the API server ends it. Raises as `_send` does, and for what is no event."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_LONGEST_SILENCE.total_seconds())
        try:
            response = await self._open("GET", path, headers={"Accept": _METADATA_ONLY.format("")}, limits=limits)
            async with response:
                if response.status != HTTPStatus.OK:
                    _Answer(response.status, await response.read()).manifest(action)
                async for line in response.content:
                    event = json_in(line)
                    if not (isinstance(event, dict) and isinstance(event.get("object"), dict)):
                        raise ClusterUnavailable(f"{action}: the API server sends what is no event")
                    yield event
        except NETWORK_FAILURES as failure:
            raise ClusterUnavailable(f"{action}: {cause_of(failure)}") from None

    async def _open(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        limits: aiohttp.ClientTimeout,
        body: Manifest | None = None,
    ) -> aiohttp.ClientResponse:
        await self._access.keep_fresh()
        headers = headers | {"User-Agent": MANAGED_BY} | self._access.authorization
        url = f"{self._access.configuration.host}{path}"
        answer = await self._client.call_api(method, url, headers, body, _request_timeout=limits)
        response: aiohttp.ClientResponse = answer.response
        return response


@dataclass(frozen=True)
class _Answer:
    """What the API server answered."""

    status: int
    content: bytes

    def tells_absence_of(self, key: ObjectKey) -> bool:
        """Whether it says that this object doesn't exist; a 404 also comes for a kind or a path that isn't served."""
        if self.status != HTTPStatus.NOT_FOUND:
            return False
        details = self._report().get("details") or {}
        return (details.get("name"), details.get("kind")) == (key.name, key.kind.plural)

    def manifest(self, action: str, *, secret: bool = False) -> Manifest:
        """The object that it carries. Raises what the protocol says when it carries none.

        `secret` tells that a Secret was sent, which the API server's words may cite.
        """
        if self.status not in range(200, 300):
            raise self._error(f"{action}: the API server answers {self.status} {self._explanation(secret=secret)}")
        manifest = json_in(self.content)
        if not (isinstance(manifest, dict) and isinstance(manifest.get("metadata"), dict)):
            raise ClusterUnavailable(f"{action}: the API server answers {self.status}, but with no object")
        return manifest

    def offered(self, action: str) -> set[str]:
        """The kinds that a group's document names (APIResourceList), by plural; none where there is no such group."""
        if self.status == HTTPStatus.NOT_FOUND:
            return set()
        document = json_in(self.content)
        if self.status != HTTPStatus.OK or not isinstance(document, dict):
            raise self._error(f"{action}: the API server answers {self.status} {self._explanation(secret=False)}")
        return {str(resource.get("name")) for resource in document.get("resources") or []}

    def _error(self, text: str) -> OperatorError:
        text = text.rstrip()
        if self.status == HTTPStatus.CONFLICT:
            return Conflict(text)
        return Rejected(text) if self.status in _REFUSALS else ClusterUnavailable(text)

    def _explanation(self, *, secret: bool) -> str:
        """The API server's own words; of a Secret only which fields it didn't like."""
        report = self._report()
        if not secret:
            return str(report.get("message", ""))[:_LONGEST_EXPLANATION]
        reason = str(report.get("reason", ""))
        causes = (report.get("details") or {}).get("causes") or []
        fields = ", ".join(sorted(str(cause.get("field", "")) for cause in causes))
        return f"{reason if reason.isalpha() else ''} {fields}".strip()[:_LONGEST_EXPLANATION]

    def _report(self) -> dict[str, Any]:
        report = json_in(self.content)
        return report if isinstance(report, dict) and report.get("kind") == "Status" else {}


class _Access:
    """Where the API server is, and who we are there."""

    def __init__(self, kubeconfig: str | None) -> None:
        self._kubeconfig = kubeconfig
        self._read_at: float | None = None
        self.configuration = Configuration()
        # The environment's proxies and ~/.netrc are not for the API server; a kubeconfig can name a proxy.
        self.configuration.client_session_kwargs = {"trust_env": False}
        self.configuration.connection_pool_maxsize = 0  # no limit: each namespace has a watch that stays open

    @property
    def authorization(self) -> dict[str, str]:
        """The header that says who we are; none when a client certificate does."""
        token = self.configuration.api_key.get("BearerToken")
        return {"Authorization": token.strip()} if token else {}

    @property
    def api_server(self) -> ApiServer:
        """What it takes to connect."""
        configuration = self.configuration
        return ApiServer(
            url=configuration.host,
            ca_file=configuration.ssl_ca_cert,
            token=self.authorization.get("Authorization", "").partition(" ")[2] or None,
            certificate_file=configuration.cert_file,
            private_key_file=configuration.key_file,
            proxy=configuration.proxy,
            is_unverified=not configuration.verify_ssl,
        )

    def distrust(self) -> None:
        """Read everything again before the next request."""
        self._read_at = None

    async def keep_fresh(self) -> None:
        """Read everything again if it is old."""
        if self._read_at is None or time.monotonic() - self._read_at > _REREAD_AFTER.total_seconds():
            await self.read()

    async def read(self) -> None:
        """Read kubeconfig or service account, with the token as it is now."""
        self._read_at = time.monotonic()
        try:
            if self._kubeconfig:
                await load_kube_config(self._kubeconfig, client_configuration=self.configuration, persist_config=False)
            else:
                load_incluster_config(self.configuration, try_refresh_token=False)
        except (ConfigException, OSError, ValueError, yaml.YAMLError) as failure:
            self.distrust()
            source = self._kubeconfig or "the pod's service account"
            detail = str(failure) if isinstance(failure, ConfigException | OSError) else type(failure).__name__
            raise ClusterUnavailable(f"no access to the API server by {source}: {detail}") from None


def _root(kind: Kind) -> str:
    return f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"


def _path(kind: Kind, namespace: str) -> str:
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{_root(kind)}{within}/{kind.plural}"


def _can_exist(key: ObjectKey) -> bool:
    """Whether the API server would take the names for one segment of a path each, as it requires of every object."""
    names = (key.namespace, key.name) if key.namespace else (key.name,)
    return all(name not in {"", ".", ".."} and not re.search("[/%]", name) for name in names)
