"""Everything that a decision may look at. Gathered by `reconcile.gather`, from live reads; decided on by `plan`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from conecta_operator.api.agency import Agency
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.keys import Key
from conecta_operator.api.objects import Manifest, ObjectKey
from conecta_operator.api.settings import Platform
from conecta_operator.plan import reads
from conecta_operator.plan.grants_seen import GrantSeen

__all__ = ["ApiWorld", "GrantWorld"]


@dataclass(frozen=True, kw_only=True)
class ApiWorld:
    """What decides over one ConectaApi."""

    api: ConectaApi
    agency: Agency | None
    """Whose namespace it is; None when the namespace belongs to no agency."""
    rivals: tuple[ConectaApi, ...]
    """All other APIs, of any namespace, that claim the same base path."""
    siblings: tuple[ConectaApi, ...]
    """All other APIs of the same namespace."""
    objects: Mapping[ObjectKey, Manifest]
    """Those of `reads.of_api` and `reads.listed_for_api` that exist: what it refers to, what was written for it."""
    jwks: str | None
    """The issuer's public keys that are in use (`plan.keepers`); None when nobody can tell yet."""
    grants: tuple[GrantSeen, ...]
    """The grants that name this API, of any namespace."""
    platform: Platform
    now: datetime


@dataclass(frozen=True, kw_only=True)
class GrantWorld:
    """What decides over one ConectaGrant."""

    grant: ConectaGrant
    api: ConectaApi | None
    agency: Agency | None
    """The receiver's; None when the namespace belongs to no agency."""
    objects: Mapping[ObjectKey, Manifest]
    """Those of `reads.of_grant(grant)` that exist: its Secret, its API, and the SecurityPolicy of that."""
    keys: tuple[Key, ...] | None
    """What the issuer has for this grant, oldest first; None while the issuer is away."""
    fresh_secret: SecretStr
    """32 random bytes (URL-safe base64), to be used if a new key is needed, else forgotten."""
    platform: Platform
    now: datetime

    @property
    def provider_namespace(self) -> Manifest | None:
        """The Namespace of the API."""
        return self.objects.get(reads.provider_namespace_of(self.grant))

    @property
    def policy(self) -> Manifest | None:
        """The SecurityPolicy of the API."""
        return self.objects.get(reads.policy_of_grant(self.grant))
