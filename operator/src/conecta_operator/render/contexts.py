"""What each template is filled with: one frozen dataclass a template, its fields the template's variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from typing_extensions import override

__all__ = [
    "CONTEXTS",
    "ApiPolicy",
    "ApiRoute",
    "BackendIngress",
    "ConnectionLimits",
    "Context",
    "CredentialSecret",
    "GatewayEgress",
    "GatewayIngress",
    "InjectedCredential",
    "JwksConfigMap",
    "KeeperPolicy",
    "KeeperRoute",
    "MutualTlsBackend",
    "PlacedGrant",
    "PolicyRule",
    "PrivateCaTls",
    "PublicCaTls",
    "RouteRefusal",
    "RouteRule",
    "UrlBackend",
    "WorkloadEgress",
]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What every object has."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    owner_references: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class PlacedGrant:
    """A grant whose calls may only come from some addresses: `scopes` are those of its tokens, `scope` its own one.

    `admitted` holds the ranges, or nothing if there is no address that grant and API both allow.
    """

    scopes: tuple[str, ...]
    scope: tuple[str, ...]
    admitted: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class ApiPolicy(Context):
    """securitypolicy.api: `revoked_client_ids` in groups of at most 128, the most that one claim rule takes.

    `consumers` is the principal of all others who may call.
    """

    issuer: str
    jwks_config_map: str
    revoked_client_ids: tuple[tuple[str, ...], ...]
    placed_grants: tuple[PlacedGrant, ...]
    consumers: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RouteRule:
    """What happens to some calls; all but the name as HTTPRoute has it (Gateway API)."""

    name: str
    matches: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]
    backend_refs: tuple[Mapping[str, Any], ...] = ()
    timeouts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ApiRoute(Context):
    """httproute.api."""

    gateway_namespace: str
    gateway_name: str
    gateway_listener: str
    annotations: Mapping[str, str]
    rules: tuple[RouteRule, ...]


@dataclass(frozen=True, kw_only=True)
class RouteRefusal(Context):
    """httproutefilter.refusal: `body` is a format of Envoy's."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True, kw_only=True)
class UrlBackend(Context):
    """backend.url."""

    hostname: str
    port: int


@dataclass(frozen=True, kw_only=True)
class MutualTlsBackend(Context):
    """backend.mutual-tls: `client_certificate` is a Secret of type kubernetes.io/tls."""

    hostname: str
    port: int
    client_certificate: str


@dataclass(frozen=True, kw_only=True)
class InjectedCredential(Context):
    """httproutefilter.credential: `secret` holds the header's value under `credential`."""

    header: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits(Context):
    """backendtrafficpolicy.connections: for one rule of a route."""

    route: str
    rule: str
    most_connections: int
    most_waiting: int


@dataclass(frozen=True, kw_only=True)
class PrivateCaTls(Context):
    """backendtlspolicy.private-ca: `ca_config_map` holds the CA certificates under `ca.crt`."""

    hostname: str
    ca_config_map: str


@dataclass(frozen=True, kw_only=True)
class PublicCaTls(Context):
    """backendtlspolicy.public-ca."""

    hostname: str


@dataclass(frozen=True, kw_only=True)
class JwksConfigMap(Context):
    """configmap.jwks: `jwks` is the JSON text of a JWK set (RFC 7517)."""

    jwks: str


@dataclass(frozen=True, kw_only=True)
class KeeperPolicy(Context):
    """securitypolicy.keeper: `jwks` as in JwksConfigMap."""

    annotations: Mapping[str, str]
    issuer: str
    jwks: str


@dataclass(frozen=True, kw_only=True)
class KeeperRoute(Context):
    """httproute.keeper."""

    gateway_namespace: str
    gateway_name: str
    gateway_listener: str
    hostname: str


@dataclass(frozen=True, kw_only=True, repr=False)
class CredentialSecret(Context):
    """secret.credential: `data` has base64 values. Never printed: its repr hides them."""

    data: Mapping[str, str]

    @override
    def __repr__(self) -> str:
        return f"CredentialSecret({self.namespace}/{self.name})"


@dataclass(frozen=True, kw_only=True)
class PolicyRule:
    """Who, and by which ports of the pods that are called; both as NetworkPolicy has them, and neither empty."""

    peers: tuple[Mapping[str, Any], ...]
    ports: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class BackendIngress(Context):
    """networkpolicy.backend."""

    pod_labels: Mapping[str, str]
    rules: tuple[PolicyRule, ...]


@dataclass(frozen=True, kw_only=True)
class GatewayEgress(Context):
    """networkpolicy.to-backend."""

    pod_labels: Mapping[str, str]
    rules: tuple[PolicyRule, ...]


@dataclass(frozen=True, kw_only=True)
class WorkloadEgress(Context):
    """networkpolicy.workload."""

    pod_labels: Mapping[str, str]
    rules: tuple[PolicyRule, ...]


@dataclass(frozen=True, kw_only=True)
class GatewayIngress(Context):
    """networkpolicy.from-workload."""

    pod_labels: Mapping[str, str]
    rules: tuple[PolicyRule, ...]


CONTEXTS: Final[Mapping[str, type[Context]]] = {
    "backend.mutual-tls.yaml.j2": MutualTlsBackend,
    "backend.url.yaml.j2": UrlBackend,
    "backendtlspolicy.private-ca.yaml.j2": PrivateCaTls,
    "backendtlspolicy.public-ca.yaml.j2": PublicCaTls,
    "backendtrafficpolicy.connections.yaml.j2": ConnectionLimits,
    "configmap.jwks.yaml.j2": JwksConfigMap,
    "httproute.api.yaml.j2": ApiRoute,
    "httproutefilter.credential.yaml.j2": InjectedCredential,
    "httproute.keeper.yaml.j2": KeeperRoute,
    "httproutefilter.refusal.yaml.j2": RouteRefusal,
    "networkpolicy.backend.yaml.j2": BackendIngress,
    "networkpolicy.from-workload.yaml.j2": GatewayIngress,
    "networkpolicy.to-backend.yaml.j2": GatewayEgress,
    "networkpolicy.workload.yaml.j2": WorkloadEgress,
    "secret.credential.yaml.j2": CredentialSecret,
    "securitypolicy.api.yaml.j2": ApiPolicy,
    "securitypolicy.keeper.yaml.j2": KeeperPolicy,
}
"""Template file → its context."""
