"""What the watches have seen: fast, complete, and a little late.

Good for finding out whom a change concerns. Whatever a decision rests on is read live by `gather`, because an index can
hold ghosts: objects that were deleted while a watch was interrupted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from conecta_operator.api.conditions import ConditionType, CredentialsReadyReason
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import ObjectKey
from conecta_operator.plan import reads

__all__ = ["GrantSeen", "Landscape"]


@dataclass(frozen=True, kw_only=True)
class GrantSeen:
    """What is kept of a grant: they are many, so it is little."""

    key: ObjectKey
    uid: str
    api: ObjectKey
    secrets: frozenset[str]
    """Names of the Secrets, in its namespace, in which its key is or was."""
    is_being_revoked: bool
    """Whether it waits until its API's policy denies its keys."""

    @classmethod
    def of(cls, grant: ConectaGrant) -> Self:
        """What is kept of this grant."""
        return cls(
            key=grant.key,
            uid=grant.metadata.uid,
            api=reads.api_of_grant(grant),
            secrets=frozenset(secret.name for secret in reads.secrets_of_grant(grant)),
            is_being_revoked=grant.metadata.deletion_timestamp is not None or _is_revoking(grant),
        )


def _is_revoking(grant: ConectaGrant) -> bool:
    return any(
        (condition.type, condition.reason) == (ConditionType.CREDENTIALS_READY, CredentialsReadyReason.REVOKING)
        for condition in grant.status.conditions
    )


class Landscape(Protocol):
    """A read-only view. Each question costs as much as its answer is long, never a walk over all objects."""

    def apis(self) -> Iterable[ConectaApi]:
        """All APIs."""

    def grants(self) -> Iterable[GrantSeen]:
        """All grants."""

    def apis_in(self, namespace: str) -> Iterable[ConectaApi]:
        """The APIs of one namespace."""

    def apis_claiming(self, base_path: str) -> Iterable[ConectaApi]:
        """The APIs of any namespace that claim a base path."""

    def grants_in(self, namespace: str) -> Iterable[GrantSeen]:
        """The grants of one namespace."""

    def grants_of(self, api: ObjectKey) -> Iterable[GrantSeen]:
        """The grants, of any namespace, that name an API."""
