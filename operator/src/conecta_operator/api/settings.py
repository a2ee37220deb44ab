"""What a decision may know of the platform: the same for every object, and fixed while the operator runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Network", "Platform"]

_HTTPS_PORT: Final = 443


@dataclass(frozen=True, kw_only=True)
class Network:
    """What network policies have to name."""

    proxy_namespace: str = "envoy-gateway-system"
    """Where the gateway's pods run: Envoy Gateway's own namespace, unless it is told otherwise."""
    listener_port: int = 10443
    """The port on which the gateway's pods listen, which needn't be the Gateway's."""
    dns_namespace: str = "kube-system"
    dns_labels: Mapping[str, str] = field(default_factory=lambda: {"k8s-app": "kube-dns"})
    dns_port: int = 53
    """On which the pods of the cluster's DNS listen."""
    private_backend_ranges: tuple[str, ...] = ()
    """Private addresses at which backends by `backend.url` may be, beside all public ones."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where the gateway and the issuer are, as providers and receivers see them."""

    gateway_namespace: str
    gateway_name: str
    gateway_listener: str
    """API routes attach to this one listener (`sectionName`): counters are per listener."""
    gateway_drain: timedelta = timedelta(seconds=60)
    """How long connections outlive the listener that they were opened at, when that changes."""
    gateway_url: str
    """https, without a trailing slash; what `status.url` and `status.tokenUrl` start with."""
    issuer_url: str
    """The `iss` of the tokens, exactly."""
    token_path: str = "/oauth2/jwt-token"  # noqa: S105 - a path
    token_lifetime: timedelta = timedelta(seconds=7201)
    """The longest that a token can be valid, by which a revoked key stays on its API's list."""
    operator_user: str
    """The operator's own user name, under which it writes down what rules decide."""
    allow_local_backends: bool = False
    """Whether `backend.url` may name `*.localhost`: for a sandbox on one machine only."""
    network: Network = Network()
    own_urls: tuple[str, ...] = ()
    """Where the gateway and the issuer themselves are: no backend may lead there."""

    @cached_property
    def own_hosts(self) -> frozenset[str]:
        """The hosts of these."""
        return frozenset(urlsplit(url).hostname or "" for url in self.own_urls)

    @cached_property
    def own_local_ports(self) -> frozenset[int]:
        """The ports of these: below `localhost`, all names are one machine."""
        return frozenset(urlsplit(url).port or _HTTPS_PORT for url in self.own_urls)
