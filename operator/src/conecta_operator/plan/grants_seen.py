"""What an API's decision looks at of the grants that name it: they are many, so it is little."""

from dataclasses import dataclass
from typing import Self

from conecta_operator.api.approvals import Decision
from conecta_operator.api.conditions import ApprovedReason, ConditionStatus, ConditionType, CredentialsReadyReason
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import ObjectKey
from conecta_operator.plan import naming, reads

__all__ = ["GrantSeen"]

_IN_FLUX = frozenset({CredentialsReadyReason.REVOKING, CredentialsReadyReason.PENDING})


@dataclass(frozen=True, kw_only=True)
class GrantSeen:
    """One grant, as it was reported."""

    key: ObjectKey
    uid: str
    api: ObjectKey
    secrets: frozenset[str]
    """Names of the Secrets, in its namespace, in which its key is or was."""
    scope: str
    """The OAuth 2 scope that only its tokens have."""
    source_ranges: tuple[str, ...]
    """Where its calls may come from, as approved; empty for anywhere."""
    has_keys: bool
    is_active: bool
    """Whether its key opens the API."""
    is_pending: bool
    """Whether it waits for a decision."""
    awaits_policy: bool
    """Whether its next step waits until the API's policy says what it must say about the grant."""

    @classmethod
    def of(cls, grant: ConectaGrant) -> Self:
        """What is kept of this grant."""
        stated = {condition.type: condition for condition in grant.status.conditions}
        ready, approved = stated.get(ConditionType.READY), stated.get(ConditionType.APPROVED)
        credentials = stated.get(ConditionType.CREDENTIALS_READY)
        approval = grant.status.approval
        terms = approval.terms if approval is not None and approval.decision is Decision.APPROVED else None
        return cls(
            key=grant.key,
            uid=grant.metadata.uid,
            api=reads.api_of_grant(grant),
            secrets=frozenset(secret.name for secret in reads.secrets_of_grant(grant)),
            scope=naming.grant_scope(grant),
            source_ranges=tuple(sorted(terms.source_ranges)) if terms is not None else (),
            has_keys=bool(grant.status.keys),
            is_active=ready is not None and ready.status is ConditionStatus.TRUE,
            is_pending=approved is not None and approved.reason == ApprovedReason.PENDING,
            awaits_policy=grant.metadata.deletion_timestamp is not None
            or (credentials is not None and credentials.reason in _IN_FLUX),
        )
