"""What stands against the backends of an API: places that a provider has no business with, and what can't be done."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from conecta_operator.api.backend import Backend
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import ENDPOINT_SLICE, NAMESPACE, Manifest
from conecta_operator.plan import reads
from conecta_operator.plan.backends import host_violations, target_of, violations
from conecta_operator.plan.world import ApiWorld

__all__ = ["faults"]

_METADATA_ADDRESSES: Final = frozenset(
    ipaddress.ip_address(address)
    for address in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
"""Cloud metadata services whose addresses aren't link-local, as most are."""


def faults(world: ApiWorld) -> list[str]:
    """Each a sentence; empty when nothing stands against the backends."""
    found = [
        f"{placed.field}{fault}" for placed in world.api.placed_backends for fault in _faults(world, placed.backend)
    ]
    return found or list(_divided_paths(world.api))


def _faults(world: ApiWorld, backend: Backend) -> Iterator[str]:
    namespaces = {key.name for key in world.objects if key.kind == NAMESPACE}
    if backend.url is not None and (wrong := violations(backend.url, world.platform, namespaces)):
        yield f".url can't be used: {'; '.join(wrong)}."
    hostname = backend.tls.hostname if backend.tls else None
    if hostname is not None and (wrong := host_violations(hostname, world.platform, namespaces)):
        yield f".tls.hostname can't be used: {'; '.join(wrong)}."
    if backend.service is not None:
        yield from (f".service can't be used: {fault}." for fault in _faults_of_service(world, backend))


def _faults_of_service(world: ApiWorld, backend: Backend) -> Iterator[str]:
    key = reads.service_of(world.api.metadata.namespace, backend)
    service = world.objects.get(key) if key is not None else None
    if key is None or service is None:
        return
    if service["spec"].get("type") == "ExternalName":
        yield f"Service {key.name} is of type ExternalName, which can point anywhere; use url"
    slices = [m for k, m in world.objects.items() if k.kind == ENDPOINT_SLICE and reads.service_of_slice(m) == key]
    strange = sorted({address for written in slices for address in _addresses(written) if _is_forbidden(address)})
    if strange:
        named = ", ".join(strange)
        yield f"its EndpointSlices lead to {named}, which is no backend's address; correct them, or use url"


def _addresses(endpoint_slice: Manifest) -> Iterator[str]:
    for endpoint in endpoint_slice.get("endpoints") or []:
        yield from endpoint["addresses"]


def _is_forbidden(text: str) -> bool:
    """Whether it is no address of a machine, or one by which the gateway reaches itself, its node or what runs that."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return True
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if inner is not None:
        return True
    return (
        address in _METADATA_ADDRESSES
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    )


def _divided_paths(api: ConectaApi) -> Iterator[str]:
    """The gateway rewrites the path before it chooses among the backends that share a prefix."""
    paths: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for placed in api.placed_backends:
        paths[placed.prefix].setdefault(target_of(placed.backend.url or "").path or "/", placed.field)
    for prefix, found in paths.items():
        if len(found) > 1:
            different = ", ".join(f"{path} in {field}" for path, field in found.items())
            yield f"Backends for the path prefix {prefix} must have one path in their URLs, not {different}."
