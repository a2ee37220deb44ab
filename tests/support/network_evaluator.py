"""Which connections NetworkPolicies allow, by the letter of the API (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/network-policies/: a connection is allowed when the policies
that apply to its source for egress and those that apply to its target for ingress both allow it. A pod that no policy
selects for a direction is free in it; one that is selected may do what any of these policies allows. What comes from a
pod's own node, and from itself, is no business of policies, nor of this module.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Final, Literal

from conecta_operator.api.objects import Manifest

__all__ = ["Network", "Pod", "Port", "selects"]

Protocol = Literal["TCP", "UDP"]


@dataclass(frozen=True, order=True)
class Port:
    """One on which a pod listens."""

    number: int
    name: str = ""
    protocol: Protocol = "TCP"


@dataclass(frozen=True)
class Pod:
    """A model of one: nothing of it runs."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    ip: str
    ports: tuple[Port, ...] = ()

    @property
    def key(self) -> str:
        """Names it among all."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class _Rule:
    """Whom a rule lets through, by the keys of the pods (None: everybody), and by which ports (empty: all)."""

    peers: frozenset[str] | None
    ports: Sequence[Manifest]

    def allows(self, peer: str, port: Port) -> bool:
        return (self.peers is None or peer in self.peers) and (
            not self.ports or any(_is_port(wanted, port) for wanted in self.ports)
        )


class Network:
    """Pods, the labels of their namespaces, and the policies between them."""

    def __init__(
        self, pods: Iterable[Pod], namespaces: Mapping[str, Mapping[str, str]], policies: Iterable[Manifest]
    ) -> None:
        self._pods: Final = {pod.key: pod for pod in pods}
        self._namespaces: Final = namespaces
        self._ingress: dict[str, list[_Rule]] = {}
        self._egress: dict[str, list[_Rule]] = {}
        for policy in policies:
            self._add(policy)

    def allows(self, source: Pod, target: Pod, port: Port) -> bool:
        """Whether the source may open a connection to this port of the target."""
        return self._lets(self._egress, source.key, target.key, port) and self._lets(
            self._ingress, target.key, source.key, port
        )

    @staticmethod
    def _lets(rules: Mapping[str, Sequence[_Rule]], whose: str, peer: str, port: Port) -> bool:
        found = rules.get(whose)
        return found is None or any(rule.allows(peer, port) for rule in found)

    def _add(self, policy: Manifest) -> None:
        spec, namespace = policy["spec"], policy["metadata"]["namespace"]
        selected = [
            pod.key
            for pod in self._pods.values()
            if pod.namespace == namespace and selects(spec["podSelector"], pod.labels)
        ]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        for direction, field, whom, table in (
            ("Ingress", "ingress", "from", self._ingress),
            ("Egress", "egress", "to", self._egress),
        ):
            if direction in types:
                rules = [self._rule(rule, whom, namespace) for rule in spec.get(field) or []]
                for key in selected:
                    table.setdefault(key, []).extend(rules)

    def _rule(self, rule: Manifest, whom: str, namespace: str) -> _Rule:
        wanted = rule.get(whom) or []
        peers = frozenset(
            pod.key for pod in self._pods.values() if any(self._is_peer(peer, pod, namespace) for peer in wanted)
        )
        return _Rule(peers if wanted else None, rule.get("ports") or [])

    def _is_peer(self, peer: Manifest, pod: Pod, namespace: str) -> bool:
        if "ipBlock" in peer:
            return _is_within(peer["ipBlock"], pod.ip)
        if "namespaceSelector" in peer:
            in_place = selects(peer["namespaceSelector"], self._namespaces[pod.namespace])
        else:
            in_place = pod.namespace == namespace
        return in_place and selects(peer.get("podSelector", {}), pod.labels)


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects what has these labels; an empty one selects everything."""
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case operator:
            raise ValueError(f"no such operator: {operator}")


def _is_within(block: Mapping[str, Any], address: str) -> bool:
    ip = ip_address(address)
    return ip in ip_network(block["cidr"]) and not any(ip in ip_network(part) for part in block.get("except") or [])


def _is_port(wanted: Mapping[str, Any], port: Port) -> bool:
    if wanted.get("protocol", "TCP") != port.protocol:
        return False
    match wanted.get("port"):
        case None:
            return True
        case str(name):
            return name == port.name
        case number:
            return bool(number <= port.number <= wanted.get("endPort", number))
