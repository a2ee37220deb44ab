"""What a decision yields: data, that `reconcile` carries out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from conecta_operator.api.keys import Key
from conecta_operator.api.objects import Manifest
from conecta_operator.plan.certificates import CertificateEnd

__all__ = [
    "AllowKeys",
    "ApiPlan",
    "DeleteObject",
    "DenyKeys",
    "GrantPlan",
    "PutKey",
    "RemoveKey",
    "SetFinalizers",
    "Step",
    "WriteObject",
]


@dataclass(frozen=True)
class SetFinalizers:
    """The object that is decided on shall have exactly these finalizers of ours; those of others stay."""

    finalizers: tuple[str, ...]


@dataclass(frozen=True)
class WriteObject:
    """Create the object, or replace what is there: `over` is what was read (None: nothing)."""

    manifest: Manifest
    over: Manifest | None


@dataclass(frozen=True)
class DeleteObject:
    """Delete what was read."""

    manifest: Manifest


@dataclass(frozen=True)
class PutKey:
    """Make the issuer hold this key. `secret` None: an existing key keeps the one that it has."""

    key: Key
    secret: SecretStr | None


@dataclass(frozen=True)
class RemoveKey:
    """Make the issuer forget this key."""

    client_id: str


@dataclass(frozen=True)
class DenyKeys:
    """Put client ids on the `status.revokedKeys` of an API (as read), each until its last token has expired."""

    api: Manifest
    until: dict[str, datetime]


@dataclass(frozen=True)
class AllowKeys:
    """Take client ids off the `status.revokedKeys` of an API (as read): they are keys that go on."""

    api: Manifest
    client_ids: frozenset[str]


Step = SetFinalizers | WriteObject | DeleteObject | PutKey | RemoveKey | DenyKeys | AllowKeys


@dataclass(frozen=True, kw_only=True)
class ApiPlan:
    """`steps` first to last, all of them or an exception; then `status` (None: the object goes away with the steps)."""

    steps: tuple[Step, ...]
    status: Manifest | None
    """JSON merge patch for the object's status."""
    look_again_in: timedelta | None = None
    """When time alone will change the decision."""
    certificate_ends: tuple[CertificateEnd, ...] = ()
    """Of what the API refers to, for the metrics."""


@dataclass(frozen=True, kw_only=True)
class GrantPlan:
    """`steps` first to last, all of them or an exception; then `status` (None: the object goes away with the steps)."""

    steps: tuple[Step, ...]
    status: Manifest | None
    look_again_in: timedelta | None = None
