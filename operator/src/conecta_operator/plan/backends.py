"""Where calls may be sent: never to a place that a provider has no business with."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from conecta_operator.api.settings import Platform

__all__ = ["UrlTarget", "host_violations", "target_of", "violations"]

_HTTPS_PORT: Final = 443
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST_HOST: Final = 253
_TOP_LABEL: Final = re.compile(r"[a-z]{2,63}")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,=:@-]+)*/?")
_LOCAL: Final = "localhost"
_HIDDEN_SUFFIXES: Final = (
    _LOCAL,  # loopback (RFC 6761)
    "local",  # link-local multicast DNS (RFC 6762)
    "internal",  # cloud metadata services and private zones (ICANN, 2024)
    "svc",  # the cluster's own services, other tenants' among them: use service
    "pod",  # its pods, by address
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


def violations(url: str, platform: Platform, namespaces: Collection[str] = ()) -> list[str]:
    """What is wrong with a `backend.url`, all at once, each saying what to write instead; empty when nothing is.

    `namespaces` are those of the cluster whose names a host of that URL ends with.
    """
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
    return found + _violations_of_place(parts, platform, namespaces)


def _violations_of_place(parts: SplitResult, platform: Platform, namespaces: Collection[str]) -> list[str]:
    if _is_address(parts.hostname or ""):
        return ["it names an IP address; name the backend by DNS, so that its certificate can be verified"]
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    if platform.allow_local_backends and host.endswith(f".{_LOCAL}") and parts.port in platform.own_local_ports:
        return ["below .localhost its port is the platform's own"]
    return host_violations(host, platform, namespaces)


def host_violations(host: str, platform: Platform, namespaces: Collection[str]) -> list[str]:
    """What is wrong with a host that the gateway is to call, or whose certificate it is to trust."""
    labels = host.split(".")
    is_name = len(host) <= _LONGEST_HOST and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    if not is_name or not _TOP_LABEL.fullmatch(labels[-1]):
        return ["its host is no DNS name of at least two labels in lower-case ASCII, the last one of letters"]
    if any(label.startswith("xn--") for label in labels):
        return ["its host has letters beyond ASCII (xn--), which can look like others; write a name without them"]
    if host in platform.own_hosts:
        return ["its host is the platform's own; name the backend itself"]
    if labels[-1] in namespaces:
        return [f"names below .{labels[-1]} mean Services of that namespace; use a public name or service"]
    if platform.allow_local_backends and labels[-1] == _LOCAL:
        return []
    hidden = [suffix for suffix in _HIDDEN_SUFFIXES if host == suffix or host.endswith(f".{suffix}")]
    return [f"names below .{suffix} are not reachable for backends; use a public name or service" for suffix in hidden]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
