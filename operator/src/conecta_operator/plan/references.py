"""Whether everything that an API refers to exists and is usable: its condition ResolvedRefs."""

import base64
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from conecta_operator.api.conditions import ConditionStatus, ConditionType, ResolvedRefsReason
from conecta_operator.api.conecta_api import PlacedBackend
from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import SECRET, Manifest, ObjectKey
from conecta_operator.plan import reads
from conecta_operator.plan.certificates import CA_FIELD, CERTIFICATE_FIELD, CertificateEnd, certificate_ends
from conecta_operator.plan.summary import Finding, Turn
from conecta_operator.plan.world import ApiWorld

__all__ = ["look_again_in", "resolved_refs"]

_TLS_TYPE: Final = "kubernetes.io/tls"
_KEY_FIELD: Final = "tls.key"
_CREDENTIAL_FIELD: Final = "credential"
_HEADER_VALUE: Final = rb"[!-~]([ -~]*[!-~])?"

_SECRET_MENDED: Final = timedelta(seconds=5)

Missing = tuple[ResolvedRefsReason, str]


def resolved_refs(world: ApiWorld) -> Finding:
    """The condition: False while anything is missing or over. The message names all of it."""
    missing = [found for placed in world.api.placed_backends for found in _missing(world, placed)]
    if missing:
        return _finding(missing[0][0], dict.fromkeys(message for _, message in missing))
    near = [end for end in certificate_ends(world) if end.is_near(world.now)]
    over = [end for end in near if end.at <= world.now]
    if over:
        return _finding(ResolvedRefsReason.CERTIFICATE_EXPIRED, (_told(end, world.now) for end in over))
    if near:
        return _finding(ResolvedRefsReason.CERTIFICATE_EXPIRING, (_told(end, world.now) for end in near))
    return _finding(ResolvedRefsReason.RESOLVED_REFS, ("Everything that the API refers to exists.",))


def look_again_in(world: ApiWorld) -> timedelta | None:
    """How soon a Secret may be mended: providers' own ones aren't watched, since nobody should see more than he must.

    None when nothing is to be mended; a certificate that ends is looked at when there is something new to say.
    """
    namespace = world.api.metadata.namespace
    has_secrets = any(reads.secrets_of_backend(namespace, placed.backend) for placed in world.api.placed_backends)
    return _SECRET_MENDED if has_secrets and not resolved_refs(world).holds else None


def _finding(reason: ResolvedRefsReason, sentences: Iterable[str]) -> Finding:
    holds = reason in {ResolvedRefsReason.RESOLVED_REFS, ResolvedRefsReason.CERTIFICATE_EXPIRING}
    return Finding(
        type=ConditionType.RESOLVED_REFS,
        status=ConditionStatus.TRUE if holds else ConditionStatus.FALSE,
        reason=reason,
        message=" ".join(sentences),
        turn=Turn.AUTHOR,
    )


def _told(end: CertificateEnd, now: datetime) -> str:
    verb = "ended" if end.at <= now else "ends"
    return f"A certificate in {_named(end.holder)} {verb} at {timestamp(end.at)}; put its successor there."


def _named(key: ObjectKey) -> str:
    return f"{key.kind.name} {key.name}"


def _missing(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    yield from _missing_service(world, placed)
    yield from _missing_ca(world, placed)
    yield from _missing_client_certificate(world, placed)
    yield from _missing_credentials(world, placed)


def _missing_service(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    wanted, key = placed.backend.service, reads.service_of(world.api.metadata.namespace, placed.backend)
    if key is None or wanted is None:
        return
    service = world.objects.get(key)
    if service is None:
        problem = f"Service {wanted.name} does not exist in namespace {key.namespace}; create it"
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
    elif not (bundle.get("data") or {}).get(CA_FIELD):
        problem = f"ConfigMap {key.name} in namespace {key.namespace} has no {CA_FIELD}"
    else:
        return
    remedy = f"create it with the CA certificates (PEM) under {CA_FIELD}, or correct {placed.field}.tls"
    yield ResolvedRefsReason.REF_NOT_FOUND, f"{problem}; {remedy}."


def _missing_client_certificate(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    key = reads.client_certificate_of(world.api.metadata.namespace, placed.backend)
    if key is None:
        return
    secret = world.objects.get(key)
    if secret is None:
        problem = f"Secret {key.name} does not exist in namespace {key.namespace}"
    elif secret.get("type") != _TLS_TYPE or not all(_value(secret, name) for name in (CERTIFICATE_FIELD, _KEY_FIELD)):
        problem = f"Secret {key.name} in namespace {key.namespace} is not of type {_TLS_TYPE} with certificate and key"
    else:
        return
    remedy = f"create it with kubectl create secret tls, or correct {placed.field}.tls"
    yield ResolvedRefsReason.REF_NOT_FOUND, f"{problem}; {remedy}."


def _missing_credentials(world: ApiWorld, placed: PlacedBackend) -> Iterator[Missing]:
    for header in placed.backend.headers_from_secret:
        key = ObjectKey(SECRET, world.api.metadata.namespace, header.secret_ref.name)
        secret = world.objects.get(key)
        if secret is None:
            problem = f"Secret {key.name} does not exist in namespace {key.namespace}"
        elif not re.fullmatch(_HEADER_VALUE, _value(secret, _CREDENTIAL_FIELD)):
            problem = f"Secret {key.name} in namespace {key.namespace} has no {_CREDENTIAL_FIELD} of one line of ASCII"
        else:
            continue
        remedy = f"put the header's value there under {_CREDENTIAL_FIELD}, or correct {placed.field}.headersFromSecret"
        yield ResolvedRefsReason.REF_NOT_FOUND, f"{problem}; {remedy}."


def _value(secret: Manifest, name: str) -> bytes:
    return base64.b64decode((secret.get("data") or {}).get(name) or "")
