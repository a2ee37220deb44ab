"""What there is to say about a grant, condition by condition."""

from typing import Final

from conecta_operator.api.conditions import (
    ConditionStatus,
    ConditionType,
    CredentialsReadyReason,
    ProgrammedReason,
    ReadyReason,
    ResolvedRefsReason,
)
from conecta_operator.api.objects import CONECTA_GRANT
from conecta_operator.plan import naming
from conecta_operator.plan.summary import Finding, Turn
from conecta_operator.plan.world import GrantWorld

__all__ = [
    "Turn",
    "being_deleted",
    "credentials",
    "foreign_secret",
    "had_access",
    "issuer_away",
    "programmed",
    "resolved_refs",
    "revoking",
]

_ENDED: Final = frozenset(
    {CredentialsReadyReason.REVOKED, CredentialsReadyReason.REVOKING, CredentialsReadyReason.EXPIRED}
)


def resolved_refs(world: GrantWorld) -> Finding:
    """Whether the API exists."""
    reference = world.grant.spec.api_ref
    if world.api is None:
        return Finding(
            type=ConditionType.RESOLVED_REFS,
            status=ConditionStatus.FALSE,
            reason=ResolvedRefsReason.API_NOT_FOUND,
            message=f"ConectaApi {reference.namespace}/{reference.name} of spec.apiRef does not exist; "
            "ask its provider, or create a grant for another API.",
            turn=Turn.AUTHOR,
        )
    return Finding(
        type=ConditionType.RESOLVED_REFS,
        status=ConditionStatus.TRUE,
        reason=ResolvedRefsReason.RESOLVED_REFS,
        message=f"ConectaApi {reference.namespace}/{reference.name} exists.",
    )


def had_access(world: GrantWorld) -> bool:
    """Whether the grant has or had a key."""
    grant = world.grant
    return bool(world.keys or grant.status.keys) or any(
        condition.type == ConditionType.CREDENTIALS_READY and condition.reason in _ENDED
        for condition in grant.status.conditions
    )


def credentials(reason: CredentialsReadyReason, message: str, turn: Turn = Turn.OPERATOR) -> Finding:
    """The condition CredentialsReady, which is True for one reason only."""
    status = ConditionStatus.TRUE if reason is CredentialsReadyReason.ISSUED else ConditionStatus.FALSE
    return Finding(type=ConditionType.CREDENTIALS_READY, status=status, reason=reason, message=message, turn=turn)


def foreign_secret(world: GrantWorld) -> Finding | None:
    """That a Secret of the wanted name is somebody else's."""
    grant = world.grant
    secret = world.objects.get(naming.secret_key(grant))
    if secret is None or naming.is_ours(secret, CONECTA_GRANT, grant.metadata):
        return None
    return credentials(
        CredentialsReadyReason.CONFLICTED,
        f"Secret {grant.secret_name} exists and is not this grant's, so it is left alone; "
        "delete it, or choose another spec.credential.secretName.",
        Turn.AUTHOR,
    )


def issuer_away(world: GrantWorld) -> Finding:
    """That nothing can be issued now. A key that was issued goes on working meanwhile."""
    stated = {condition.type: condition for condition in world.grant.status.conditions}
    before = stated.get(ConditionType.CREDENTIALS_READY)
    if before is not None and before.status is ConditionStatus.TRUE:
        return credentials(CredentialsReadyReason.ISSUED, before.message)
    return credentials(CredentialsReadyReason.PENDING, "The token issuer is away; the key follows when it is back.")


def revoking(world: GrantWorld, verb: str) -> Finding:
    """That access is being taken away, and what that waits for."""
    waits_for = "the token issuer, which is away" if world.keys is None else "the gateway to refuse the key's tokens"
    return credentials(CredentialsReadyReason.REVOKING, f"The key is about to {verb}; this waits for {waits_for}.")


def being_deleted() -> Finding:
    """That the grant itself goes."""
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.FALSE,
        reason=ReadyReason.DELETING,
        message="The grant is being deleted; its access is taken away first.",
    )


def programmed(world: GrantWorld) -> tuple[Finding, ...]:
    """What the gateway says of the API, if there is one."""
    api = world.api
    if api is None:
        return ()
    name = f"ConectaApi {api.metadata.namespace}/{api.metadata.name}"
    stated = {condition.type: condition for condition in api.status.conditions}
    served = stated.get(ConditionType.PROGRAMMED)
    if served is not None and served.status is ConditionStatus.TRUE:
        return (_programmed(ProgrammedReason.PROGRAMMED, f"The gateway serves {name}."),)
    because = f": {served.message}" if served is not None else "."
    turn = Turn.DECIDER if ConditionType.STALLED in stated else Turn.OPERATOR
    return (_programmed(ProgrammedReason.PENDING, f"The gateway does not serve {name} yet{because}", turn),)


def _programmed(reason: ProgrammedReason, message: str, turn: Turn = Turn.OPERATOR) -> Finding:
    status = ConditionStatus.TRUE if reason is ProgrammedReason.PROGRAMMED else ConditionStatus.FALSE
    return Finding(type=ConditionType.PROGRAMMED, status=status, reason=reason, message=message, turn=turn)
