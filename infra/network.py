"""The platform's own network policies: nobody reaches anybody, but for what the platform itself needs to work.

What APIs and grants need beside that, the operator writes. Policies act on pods, so that ports are those of pods.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.layer import Layer
from infra.network_settings import NetworkSettings, Place
from infra.settings import RatesSettings, StackSettings

__all__ = ["NetworkBaseline", "NetworkBaselineArgs", "Policy", "baseline", "listener_pod_port", "nobody_in"]

DEFAULT_DENY: Final = "conecta-default-deny"

_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
_GATEWAY: Final = {
    "gateway.envoyproxy.io/owning-gateway-namespace": names.GATEWAY_NAMESPACE,
    "gateway.envoyproxy.io/owning-gateway-name": names.GATEWAY,
}
_CONTROL_PLANE: Final = {"control-plane": "envoy-gateway"}
_INSTALLER: Final = {"app": "certgen"}
"""Jobs of Envoy Gateway's chart, which make its certificates."""
_RATE_LIMIT: Final = {"app.kubernetes.io/name": names.RATELIMIT}
_OPERATOR: Final = {"app.kubernetes.io/name": names.OPERATOR}

_FIRST_UNPRIVILEGED: Final = 1024
_SHIFT: Final = 10000
_XDS, _WASM, _WEBHOOK = 18000, 18002, 9443
_RATE_LIMIT_PORT: Final = 8081
_ENVOY_METRICS, _RATE_LIMIT_METRICS, _OPERATOR_METRICS = 19001, 9090, 9810


@dataclass(frozen=True)
class Policy:
    """One NetworkPolicy."""

    namespace: str
    name: str
    spec: Any
    """As NetworkPolicy has it."""


@dataclass(frozen=True, kw_only=True)
class NetworkBaselineArgs:
    """All settings: what may be reached is said in several places of them."""

    settings: StackSettings


class NetworkBaseline(Layer):
    """The policies of the platform's own namespaces. Those of agencies are theirs: see `tenancy`."""

    def __init__(self, name: str, args: NetworkBaselineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:network:NetworkBaseline", name, None, opts)
        for policy in baseline(args.settings):
            k8s.networking.v1.NetworkPolicy(
                f"{policy.namespace}-{policy.name}",
                metadata={"name": policy.name, "namespace": policy.namespace},
                spec=policy.spec,
                opts=self._child(),
            )
        self.register_outputs({})


def listener_pod_port(port: int) -> int:
    """The port on which the gateway's pods listen for a listener's: Envoy Gateway has them do without privileges."""
    return port + _SHIFT if port < _FIRST_UNPRIVILEGED else port


def nobody_in(namespace: str) -> Policy:
    """No pod of the namespace is reached by anybody whom no other policy lets through."""
    return Policy(namespace, DEFAULT_DENY, {"podSelector": {}, "policyTypes": ["Ingress"]})


def baseline(settings: StackSettings) -> list[Policy]:
    """The policies of the namespaces in which gateway, Envoy Gateway and operator run."""
    network = settings.cluster.network
    own = (network.proxy_namespace, names.ENVOY_GATEWAY_NAMESPACE, names.GATEWAY_NAMESPACE, names.SYSTEM_NAMESPACE)
    nobody = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return [
        *(Policy(namespace, DEFAULT_DENY, nobody) for namespace in dict.fromkeys(own)),
        *_of_gateway(settings),
        *_of_control_plane(network),
        *(_of_rate_limit(network, settings.rates) if settings.rates.image is not None else ()),
        *_of_operator(settings),
    ]


def _of_gateway(settings: StackSettings) -> Iterator[Policy]:
    network, selector = settings.cluster.network, {"matchLabels": _GATEWAY}
    calls = _rule("from", network.clients, (listener_pod_port(settings.gateway.port),))
    yield _ingress(network.proxy_namespace, "conecta-listeners", selector, [calls, *_metrics(network, _ENVOY_METRICS)])
    needs = [
        _dns(network),
        _rule("to", (network.issuer,), (network.issuer_public_port or settings.issuer.port,)),
        _rule("to", (_place(names.ENVOY_GATEWAY_NAMESPACE, _CONTROL_PLANE),), (_XDS, _WASM)),
    ]
    if settings.rates.image is not None:
        needs.append(_rule("to", (_place(names.GATEWAY_NAMESPACE, _RATE_LIMIT),), (_RATE_LIMIT_PORT,)))
    elif settings.rates.service is not None:
        needs.append(_quota(network, settings.rates.service))
    yield _egress(network.proxy_namespace, "conecta-gateway-needs", selector, needs)


def _of_control_plane(network: NetworkSettings) -> Iterator[Policy]:
    """Of Envoy Gateway, and of the jobs of its chart."""
    home = names.ENVOY_GATEWAY_NAMESPACE
    callers = [
        _rule("from", (_place(network.proxy_namespace, _GATEWAY),), (_XDS, _WASM)),
        _rule("from", (network.api_server,), (_WEBHOOK,)),
        *_metrics(network, _ENVOY_METRICS),
    ]
    yield _ingress(home, "conecta-control-plane", {"matchLabels": _CONTROL_PLANE}, callers)
    for name, labels in (("conecta-control-plane-needs", _CONTROL_PLANE), ("conecta-installer-needs", _INSTALLER)):
        yield _egress(home, name, {"matchLabels": labels}, [_dns(network), _api_server(network)])


def _of_rate_limit(network: NetworkSettings, rates: RatesSettings) -> Iterator[Policy]:
    home, selector = names.GATEWAY_NAMESPACE, {"matchLabels": _RATE_LIMIT}
    gateway = _rule("from", (_place(network.proxy_namespace, _GATEWAY),), (_RATE_LIMIT_PORT,))
    yield _ingress(home, names.RATELIMIT, selector, [gateway, *_metrics(network, _RATE_LIMIT_METRICS)])
    needs = [_dns(network), _quota(network, rates.redis or "")]
    yield _egress(home, f"{names.RATELIMIT}-needs", selector, needs)


def _of_operator(settings: StackSettings) -> Iterator[Policy]:
    """Nobody calls it but those who read its metrics; kubelet's probes are let through by every network."""
    network, selector = settings.cluster.network, {"matchLabels": _OPERATOR}
    ports = (
        network.issuer_public_port or settings.issuer.port,
        network.issuer_admin_port or settings.issuer.admin_port,
    )
    needs = [_dns(network), _api_server(network), _rule("to", (network.issuer,), tuple(dict.fromkeys(ports)))]
    yield _egress(names.SYSTEM_NAMESPACE, "conecta-operator-needs", selector, needs)
    if network.monitoring is not None:
        callers = _metrics(network, _OPERATOR_METRICS)
        yield _ingress(names.SYSTEM_NAMESPACE, "conecta-operator", selector, callers)


def _metrics(network: NetworkSettings, port: int) -> list[dict[str, Any]]:
    return [_rule("from", (network.monitoring,), (port,))] if network.monitoring is not None else []


def _quota(network: NetworkSettings, where: str) -> dict[str, Any]:
    return _rule("to", (network.quota,), (network.quota_port or int(where.rpartition(":")[2]),))


def _dns(network: NetworkSettings) -> dict[str, Any]:
    dns = Place(namespace=network.dns.namespace, labels=network.dns.labels)
    ports = [{"protocol": protocol, "port": network.dns.port} for protocol in ("UDP", "TCP")]
    return {"to": _peers(dns), "ports": ports}


def _api_server(network: NetworkSettings) -> dict[str, Any]:
    return _rule("to", (network.api_server,), network.api_server_ports)


def _place(namespace: str, labels: Mapping[str, str]) -> Place:
    return Place(namespace=namespace, labels=",".join(f"{key}={value}" for key, value in labels.items()))


def _parsed(labels: str) -> Iterator[tuple[str, str]]:
    for label in labels.split(","):
        key, _, value = label.partition("=")
        yield key, value


def _rule(direction: str, places: Sequence[Place], ports: Sequence[int]) -> dict[str, Any]:
    return {
        direction: [peer for place in places for peer in _peers(place)],
        "ports": [{"protocol": "TCP", "port": port} for port in ports],
    }


def _peers(place: Place) -> list[dict[str, Any]]:
    if place.namespace is None:
        return [{"ipBlock": {"cidr": cidr}} for cidr in place.ranges]
    pods = {"podSelector": {"matchLabels": dict(_parsed(place.labels))}} if place.labels else {}
    return [{"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: place.namespace}}, **pods}]


def _ingress(namespace: str, name: str, pods: dict[str, Any], rules: list[dict[str, Any]]) -> Policy:
    return Policy(namespace, name, {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": rules})


def _egress(namespace: str, name: str, pods: dict[str, Any], rules: list[dict[str, Any]]) -> Policy:
    return Policy(namespace, name, {"podSelector": pods, "policyTypes": ["Egress"], "egress": rules})
