"""Who may reach whom, as NetworkPolicies: what an API and a grant draw in their own namespaces and in the gateway's.

Policies only ever add: what they don't let through is refused by the platform's own, which refuse everything
(infra/network.py). They act on pods, so that ports are those of pods and never those of Services.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any, Final, Literal

from conecta_operator.api.backend import BackendService
from conecta_operator.api.conditions import ConditionStatus, ConditionType, IsolatedReason
from conecta_operator.api.conecta_api import PlacedBackend
from conecta_operator.api.network import BackendNetworkPolicy
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Manifest, ObjectKey, key_of
from conecta_operator.api.settings import Network, Platform
from conecta_operator.plan import naming, reads
from conecta_operator.plan.backends import target_of
from conecta_operator.plan.plans import DeleteObject, SetFinalizers, Step
from conecta_operator.plan.summary import Finding
from conecta_operator.plan.world import ApiWorld, GrantWorld
from conecta_operator.plan.writing import write_if_different
from conecta_operator.render.contexts import (
    BackendIngress,
    Context,
    GatewayEgress,
    GatewayIngress,
    PolicyRule,
    WorkloadEgress,
)
from conecta_operator.render.forms import Forms

__all__ = ["Drawn", "GrantNetwork", "network_of_api", "network_of_grant", "no_network_of_grant"]

_OWNING_GATEWAY: Final = "gateway.envoyproxy.io/owning-gateway"
"""Prefix of the labels by which Envoy Gateway says for which Gateway it has started a pod."""
_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""Label that Kubernetes itself puts on every Namespace, and lets nobody change."""

_PUBLIC_IPV6: Final = ip_network("2000::/3")
_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host (RFC 791)
            "10.0.0.0/8",  # private (RFC 1918)
            "100.64.0.0/10",  # carriers' own (RFC 6598)
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local: metadata services of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols (RFC 6890)
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved
            "2002::/16",  # IPv4 inside of IPv6 (RFC 3056), private addresses as well
        ),
    )
)


@dataclass(frozen=True)
class Drawn:
    """What an API asks of the network, and what is to be said of it."""

    contexts: tuple[Context, ...]
    finding: Finding


@dataclass(frozen=True)
class _Draft:
    """The same for one backend: the pods that answer and who may reach them, and whom the gateway may reach."""

    finding: Finding
    service: str = ""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()


def network_of_api(world: ApiWorld) -> Drawn:
    """The policies of an accepted API: for each of its backends that has a share of the calls."""
    drafts = [_draft(world, placed) for placed in world.api.placed_backends if placed.backend.weight > 0]
    by_service: dict[str, list[_Draft]] = {}
    for draft in drafts:
        if draft.ingress:
            by_service.setdefault(draft.service, []).append(draft)
    contexts: list[Context] = [_backend_ingress(world, service, found) for service, found in by_service.items()]
    egress = tuple(_unlike(rule for draft in drafts for rule in draft.egress))
    if egress:
        contexts.append(_gateway_egress(world, egress))
    return Drawn(tuple(contexts), _together([draft.finding for draft in drafts]))


def _together(findings: Sequence[Finding]) -> Finding:
    """The first that does not hold says the reason, and all of these the message."""
    if not findings:
        return _isolated(IsolatedReason.ISOLATED, "No backend has a share of the calls, and none is reached.")
    open_ones = [finding for finding in findings if not finding.holds] or findings
    message = " ".join(dict.fromkeys(finding.message for finding in open_ones))
    return replace(open_ones[0], message=message)


def _unlike(rules: Iterable[PolicyRule]) -> Iterator[PolicyRule]:
    """Each rule once: two routes may lead to one place."""
    seen: list[PolicyRule] = []
    for rule in rules:
        if rule not in seen:
            seen.append(rule)
            yield rule


def _draft(world: ApiWorld, placed: PlacedBackend) -> _Draft:
    backend = placed.backend
    if not (backend.network_policy or BackendNetworkPolicy()).enabled:
        return _undrawn(
            IsolatedReason.SWITCHED_OFF,
            f"{placed.field}.networkPolicy.enabled is false: no NetworkPolicy is written, and the gateway reaches the "
            "backend where others let it through.",
        )
    if backend.service is None:
        return _to_url(world, placed)
    return _to_service(world, placed, backend.service)


def _to_url(world: ApiWorld, placed: PlacedBackend) -> _Draft:
    port = target_of(placed.backend.url or "").port
    peers = tuple({"ipBlock": block} for block in _reachable(world.platform.network))
    finding = _isolated(
        IsolatedReason.BY_ADDRESS_ONLY,
        f"{placed.field} is outside of the cluster, and a NetworkPolicy can't name hosts: the gateway may reach "
        f"port {port} of every public address.",
    )
    return _Draft(finding, egress=(PolicyRule(peers=peers, ports=(_tcp(port),)),))


def _to_service(world: ApiWorld, placed: PlacedBackend, wanted: BackendService) -> _Draft:
    namespace, backend = world.api.metadata.namespace, placed.backend
    key = reads.service_of(namespace, backend)
    service = world.objects.get(key) if key is not None else None
    port = _pod_port(service, wanted.port)
    if service is None or port is None:
        return _undrawn(
            IsolatedReason.BACKEND_NOT_FOUND,
            f"Service {wanted.name} with port {wanted.port} (TCP) is needed before a NetworkPolicy can be written.",
        )
    selector = service["spec"].get("selector")
    if not selector or service["spec"].get("type") == "ExternalName":
        return _undrawn(
            IsolatedReason.NO_SELECTOR,
            f"Service {wanted.name} has no selector, and a NetworkPolicy can't name what it leads to: none is written, "
            "and the gateway reaches it where others let it through. Give it a selector, or use a url.",
        )
    others = (backend.network_policy or BackendNetworkPolicy()).also_allow_from
    return _Draft(
        _isolated(IsolatedReason.ISOLATED, f"NetworkPolicies let the gateway reach the pods of Service {wanted.name}."),
        service=wanted.name,
        pod_labels=selector,
        ingress=(
            PolicyRule(peers=(_gateway_pods(world.platform),), ports=(_tcp(port),)),
            *(
                PolicyRule(peers=(peer.as_manifest,), ports=tuple(map(_tcp, sorted(peer.ports))) or (_tcp(port),))
                for peer in others
            ),
        ),
        egress=(PolicyRule(peers=(_pods(namespace, selector),), ports=(_tcp(port),)),),
    )


def _backend_ingress(world: ApiWorld, service: str, drafts: Sequence[_Draft]) -> BackendIngress:
    key = naming.backend_policy_key(world.api, service)
    return BackendIngress(
        name=key.name,
        namespace=key.namespace,
        labels=naming.labels_of(CONECTA_API, world.api.metadata),
        owner_references=(naming.owner_reference(CONECTA_API, world.api.metadata),),
        pod_labels=drafts[0].pod_labels,
        rules=tuple(_unlike(rule for draft in drafts for rule in draft.ingress)),
    )


def _pod_port(service: Manifest | None, number: int) -> int | str | None:
    """The port, by number or name, on which the pods of a Service listen for what comes to its port of that number."""
    for port in (service or {"spec": {}})["spec"].get("ports") or []:
        if port["port"] == number and port.get("protocol", "TCP") == "TCP":
            found: int | str = port.get("targetPort") or number
            return found
    return None


def _gateway_egress(world: ApiWorld, rules: tuple[PolicyRule, ...]) -> GatewayEgress:
    key = naming.gateway_policy_key(world.api, world.platform.network.proxy_namespace)
    return GatewayEgress(
        name=key.name,
        namespace=key.namespace,
        labels=naming.labels_of_far(CONECTA_API, world.api.metadata),
        owner_references=(),
        pod_labels=_gateway_labels(world.platform),
        rules=rules,
    )


@dataclass(frozen=True)
class GrantNetwork:
    """The steps by which a grant's policies become what they ought to be, and what is to be said of them."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]


def network_of_grant(world: GrantWorld, forms: Forms) -> GrantNetwork:
    """The policies of a grant that is entitled to a key, if it says where its application runs."""
    workload = world.grant.spec.workload
    if workload is None:
        return no_network_of_grant(world)
    live = _live(world)
    foreign = [key for key, found in live.items() if not naming.is_ours(found, CONECTA_GRANT, world.grant.metadata)]
    if foreign:
        names = " and ".join(f"{key.name} in namespace {key.namespace}" for key in foreign)
        message = f"NetworkPolicy {names} exists and was not written for this grant, so it is left alone; delete it."
        return GrantNetwork((), (_isolated(IsolatedReason.CONFLICTED, message),))
    manifests = [forms.write(context) for context in _of_workload(world, workload.pod_selector.match_labels)]
    writes = [step for manifest in manifests for step in write_if_different(manifest, live.get(key_of(manifest)))]
    message = "NetworkPolicies let the pods of spec.workload reach the gateway and the cluster's DNS."
    return GrantNetwork((*_finalizer(world), *writes), (_isolated(IsolatedReason.ISOLATED, message),))


def _finalizer(world: GrantWorld) -> tuple[Step, ...]:
    """What makes deletion wait until the policy is gone that nobody in the cluster owns."""
    present = naming.REVOKE_FINALIZER in world.grant.metadata.finalizers
    return () if present else (SetFinalizers((naming.REVOKE_FINALIZER,)),)


def no_network_of_grant(world: GrantWorld) -> GrantNetwork:
    """What takes the policies of a grant away that is not entitled to any, or wants none."""
    ours = [found for found in _live(world).values() if naming.is_ours(found, CONECTA_GRANT, world.grant.metadata)]
    message = "No NetworkPolicy is written for the workload of a grant that has no access."
    finding = _isolated(IsolatedReason.PENDING, message)
    return GrantNetwork(tuple(map(DeleteObject, ours)), (finding,) if world.grant.spec.workload is not None else ())


def _live(world: GrantWorld) -> dict[ObjectKey, Manifest]:
    keys = naming.network_policies_of_grant(world.grant, world.platform.network.proxy_namespace)
    return {key: world.objects[key] for key in keys if key in world.objects}


def _of_workload(world: GrantWorld, labels: Mapping[str, str]) -> tuple[Context, ...]:
    grant, platform = world.grant.metadata, world.platform
    near, far = naming.network_policies_of_grant(world.grant, platform.network.proxy_namespace)
    listener = (_tcp(platform.network.listener_port),)
    return (
        WorkloadEgress(
            name=near.name,
            namespace=near.namespace,
            labels=naming.labels_of(CONECTA_GRANT, grant),
            owner_references=(naming.owner_reference(CONECTA_GRANT, grant),),
            pod_labels=labels,
            rules=(PolicyRule(peers=(_gateway_pods(platform),), ports=listener), _dns(platform.network)),
        ),
        GatewayIngress(
            name=far.name,
            namespace=far.namespace,
            labels=naming.labels_of_far(CONECTA_GRANT, grant),
            owner_references=(),
            pod_labels=_gateway_labels(platform),
            rules=(PolicyRule(peers=(_pods(grant.namespace, labels),), ports=listener),),
        ),
    )


def _dns(network: Network) -> PolicyRule:
    ports = (_port(network.dns_port, "UDP"), _port(network.dns_port, "TCP"))
    return PolicyRule(peers=(_pods(network.dns_namespace, network.dns_labels),), ports=ports)


def _reachable(network: Network) -> list[dict[str, Any]]:
    """All public addresses, and the private ones at which backends may be."""
    public = [
        {"cidr": str(everything), "except": [str(part) for part in _NOT_PUBLIC if part.version == everything.version]}
        for everything in (ip_network("0.0.0.0/0"), _PUBLIC_IPV6)
    ]
    return [*public, *({"cidr": block} for block in sorted(network.private_backend_ranges))]


def _gateway_labels(platform: Platform) -> dict[str, str]:
    return {
        f"{_OWNING_GATEWAY}-namespace": platform.gateway_namespace,
        f"{_OWNING_GATEWAY}-name": platform.gateway_name,
    }


def _gateway_pods(platform: Platform) -> dict[str, Any]:
    return _pods(platform.network.proxy_namespace, _gateway_labels(platform))


def _pods(namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: namespace}},
        "podSelector": {"matchLabels": dict(labels)},
    }


def _tcp(port: int | str) -> dict[str, Any]:
    return _port(port, "TCP")


def _port(port: int | str, protocol: Literal["TCP", "UDP"]) -> dict[str, Any]:
    return {"protocol": protocol, "port": port}


def _undrawn(reason: IsolatedReason, message: str) -> _Draft:
    return _Draft(_isolated(reason, message))


def _isolated(reason: IsolatedReason, message: str) -> Finding:
    status = ConditionStatus.TRUE if reason is IsolatedReason.ISOLATED else ConditionStatus.FALSE
    return Finding(type=ConditionType.ISOLATED, status=status, reason=reason, message=message)
