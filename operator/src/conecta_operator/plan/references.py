"""Whether everything that an API refers to exists and is usable: its condition ResolvedRefs."""

from collections.abc import Iterator
from typing import Final

from conecta_operator.api.conditions import ConditionStatus, ConditionType, ResolvedRefsReason
from conecta_operator.api.conecta_api import PlacedBackend
from conecta_operator.plan import reads
from conecta_operator.plan.summary import Finding, Turn
from conecta_operator.plan.world import ApiWorld

__all__ = ["resolved_refs"]

_CA_FIELD: Final = "ca.crt"

Missing = tuple[ResolvedRefsReason, str]


def resolved_refs(world: ApiWorld) -> Finding:
    """The condition: False while anything is missing. The message names all of it."""
    missing = [found for placed in world.api.placed_backends for found in _missing(world, placed)]
    if missing:
        return Finding(
            type=ConditionType.RESOLVED_REFS,
            status=ConditionStatus.FALSE,
            reason=missing[0][0],
            message=" ".join(dict.fromkeys(message for _, message in missing)),
            turn=Turn.AUTHOR,
        )
    return Finding(
        type=ConditionType.RESOLVED_REFS,
        status=ConditionStatus.TRUE,
        reason=ResolvedRefsReason.RESOLVED_REFS,
        message="Everything that the API refers to exists.",
    )


def _missing(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    yield from _missing_service(world, placed)
    yield from _missing_ca(world, placed)


def _missing_service(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    wanted, key = placed.backend.service, reads.service_of(world.api.metadata.namespace, placed.backend)
    if key is None or wanted is None:
        return
    service = world.objects.get(key)
    if service is None:
        problem = f"Service {wanted.name} does not exist in namespace {key.namespace}; create it"
    elif service["spec"].get("type") == "ExternalName":
        problem = f"Service {wanted.name} is of type ExternalName, which can point anywhere; use {placed.field}.url"
    elif wanted.port not in [port["port"] for port in service["spec"].get("ports") or []]:
        problem = f"Service {wanted.name} has no port {wanted.port}; add it"
    else:
        return
    yield ResolvedRefsReason.BACKEND_NOT_FOUND, f"{problem}, or correct {placed.field}.service."


def _missing_ca(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    key = reads.ca_bundle_of(world.api.metadata.namespace, placed.backend)
    if key is None:
        return
    bundle = world.objects.get(key)
    if bundle is None:
        problem = f"ConfigMap {key.name} does not exist in namespace {key.namespace}"
    elif not (bundle.get("data") or {}).get(_CA_FIELD):
        problem = f"ConfigMap {key.name} in namespace {key.namespace} has no {_CA_FIELD}"
    else:
        return
    remedy = f"create it with the CA certificates (PEM) under {_CA_FIELD}, or correct {placed.field}.tls"
    yield ResolvedRefsReason.REF_NOT_FOUND, f"{problem}; {remedy}."
