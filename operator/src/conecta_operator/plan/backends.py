"""Where calls may be sent: never to a place that a provider has no business with."""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.settings import Platform

__all__ = ["UrlTarget", "faults", "target_of", "violations"]

_HTTPS_PORT: Final = 443
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,=:@-]+)*/?")
_HIDDEN_SUFFIXES: Final = (
    "localhost",  # loopback (RFC 6761)
    "local",  # link-local multicast DNS (RFC 6762)
    "internal",  # cloud metadata services and private zones (ICANN, 2024)
    "svc",  # the cluster's own services, other tenants' among them: use backend.service
    "cluster.local",
    "home.arpa",  # home networks (RFC 8375)
    "localdomain",
)


@dataclass(frozen=True)
class UrlTarget:
    """Where a valid `backend.url` points to. `path` has no trailing slash, and is empty for the root."""

    hostname: str
    port: int
    path: str


def target_of(url: str) -> UrlTarget:
    """The target of a URL that has no `violations`."""
    parts = urlsplit(url)
    return UrlTarget(parts.hostname or "", parts.port or _HTTPS_PORT, parts.path.rstrip("/"))


def faults(api: ConectaApi, platform: Platform) -> list[str]:
    """What stands against the backends of an API, each a sentence; empty when nothing does."""
    wrong = [
        f"{placed.field}.url can't be used: {'; '.join(found)}."
        for placed in api.placed_backends
        if placed.backend.url is not None and (found := violations(placed.backend.url, platform))
    ]
    return wrong or list(_divided_paths(api))


def _divided_paths(api: ConectaApi) -> Iterator[str]:
    """The gateway rewrites the path before it chooses among the backends that share a prefix."""
    paths: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for placed in api.placed_backends:
        paths[placed.prefix].setdefault(target_of(placed.backend.url or "").path or "/", placed.field)
    for prefix, found in paths.items():
        if len(found) > 1:
            different = ", ".join(f"{path} in {field}" for path, field in found.items())
            yield f"Backends for the path prefix {prefix} must have one path in their URLs, not {different}."


def violations(url: str, platform: Platform) -> list[str]:
    """What is wrong with a `backend.url`, all at once, each saying what to write instead; empty when nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ["it is no URL; write https://<DNS name>[:<port>][/<path>]"]
    found = []
    if parts.scheme != "https":
        found.append("it is not https; backends are reached by TLS only")
    if parts.username is not None or parts.password is not None:
        found.append("it carries user information; remove what stands before the @")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        found.append("it has a query or a fragment; end it with the path")
    if port == 0:
        found.append("port 0 is not a port")
    if not _PATH.fullmatch(parts.path) or any(segment in {".", ".."} for segment in parts.path.split("/")):
        found.append("its path has empty, relative or encoded segments; write plain ones")
    return found + _host_violations(parts, platform)


def _host_violations(parts: SplitResult, platform: Platform) -> list[str]:
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    if _is_address(parts.hostname or ""):
        return ["it names an IP address; name the backend by DNS, so that its certificate can be verified"]
    labels = host.split(".")
    if len(labels) == 1 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return ["its host is no DNS name of at least two labels in lower-case ASCII"]
    if platform.allow_local_backends and labels[-1] == "localhost":
        return []
    hidden = [suffix for suffix in _HIDDEN_SUFFIXES if host == suffix or host.endswith(f".{suffix}")]
    return [
        f"names below .{suffix} are not reachable for backends; use a public name or backend.service"
        for suffix in hidden
    ]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
