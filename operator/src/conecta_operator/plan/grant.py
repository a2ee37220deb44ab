"""What becomes of a ConectaGrant: its key, and what its status says."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from conecta_operator.api.conditions import (
    AcceptedReason,
    ApprovedReason,
    ConditionStatus,
    ConditionType,
    CredentialsReadyReason,
    ProgrammedReason,
    ReadyReason,
    ResolvedRefsReason,
)
from conecta_operator.api.conecta_api import Approval, ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant, KeyState
from conecta_operator.api.durations import timestamp
from conecta_operator.api.keys import Key
from conecta_operator.api.objects import CONECTA_GRANT, Manifest
from conecta_operator.plan import naming
from conecta_operator.plan.issuance import issuance
from conecta_operator.plan.plans import GrantPlan, SetFinalizers, Step
from conecta_operator.plan.revocation import revocation
from conecta_operator.plan.summary import Finding, Turn, conditions
from conecta_operator.plan.world import GrantWorld
from conecta_operator.render.forms import Forms

__all__ = ["desired"]

_AT_ONCE: Final = timedelta(0)
_POLICY_UNDER_WAY: Final = timedelta(milliseconds=500)


def desired(world: GrantWorld, forms: Forms) -> GrantPlan:
    """The steps towards what the grant asks for and is entitled to, and its status after them.

    A grant that is not, or no longer, entitled to a key loses all that it has.
    """
    if world.grant.metadata.deletion_timestamp is not None:
        return _farewell(world)
    accepted, resolved, approved = _accepted(world), _resolved_refs(world), _approved(world)
    entitled = (accepted, resolved, approved)
    if world.agency is None or world.api is None or not approved.holds:
        return _without_access(world, entitled)
    if _foreign_secret(world):
        return _plan(world, (), (*entitled, _secret_conflict(world.grant), _programmed(world.api)), world.keys)
    issued = issuance(world, world.api, world.agency, forms)
    if issued.current is None:
        credentials = _credentials(CredentialsReadyReason.PENDING, "The key is being issued.")
    else:
        credentials = _credentials(
            CredentialsReadyReason.ISSUED, f"The key {issued.current.client_id} is in Secret {world.grant.secret_name}."
        )
    findings = (*entitled, credentials, _programmed(world.api))
    waits = [key.retires_at - world.now for key in issued.keys if key.retires_at is not None]
    if issued.current is None:
        waits.append(_AT_ONCE)
    return _plan(
        world,
        issued.steps,
        findings,
        issued.keys,
        current=issued.current,
        look_again_in=min(waits, default=None),
    )


def _farewell(world: GrantWorld) -> GrantPlan:
    if naming.REVOKE_FINALIZER not in world.grant.metadata.finalizers:
        return GrantPlan(steps=(), status=None)
    revoked = revocation(world)
    if revoked.is_complete:
        return GrantPlan(steps=(*revoked.steps, SetFinalizers(())), status=None)
    return _plan(world, revoked.steps, (_being_deleted(), _revoking()), world.keys, look_again_in=_POLICY_UNDER_WAY)


def _without_access(world: GrantWorld, entitled: tuple[Finding, ...]) -> GrantPlan:
    revoked = revocation(world)
    if not revoked.is_complete:
        return _plan(world, revoked.steps, (*entitled, _revoking()), world.keys, look_again_in=_POLICY_UNDER_WAY)
    if _had_access(world):
        credentials = _credentials(CredentialsReadyReason.REVOKED, "The key is deleted and its tokens are refused.")
    else:
        credentials = _credentials(CredentialsReadyReason.PENDING, "No key is issued before the grant is approved.")
    return _plan(world, revoked.steps, (*entitled, credentials), ())


def _accepted(world: GrantWorld) -> Finding:
    namespace = world.grant.metadata.namespace
    if world.agency is None:
        return Finding(
            type=ConditionType.ACCEPTED,
            status=ConditionStatus.FALSE,
            reason=AcceptedReason.NOT_AN_AGENCY,
            message=f"Namespace {namespace} belongs to no agency; ask the platform team to register it.",
            turn=Turn.AUTHOR,
        )
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.TRUE,
        reason=AcceptedReason.ACCEPTED,
        message=f"Application {world.grant.spec.application.name} of agency {world.agency.name} asks for access.",
    )


def _resolved_refs(world: GrantWorld) -> Finding:
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


def _approved(world: GrantWorld) -> Finding:
    reference = world.grant.spec.api_ref
    name = f"ConectaApi {reference.namespace}/{reference.name}"
    if _is_admitted(world):
        return Finding(
            type=ConditionType.APPROVED,
            status=ConditionStatus.TRUE,
            reason=ApprovedReason.AUTOMATIC,
            message=f"{name} admits every agency (spec.access.approval: Automatic).",
        )
    if _had_access(world):
        reason, message = ApprovedReason.WITHDRAWN, f"{name} admits this grant no longer; ask its provider."
    else:
        reason, message = ApprovedReason.PENDING, f"The provider of {name} has not decided."
    return Finding(
        type=ConditionType.APPROVED, status=ConditionStatus.FALSE, reason=reason, message=message, turn=Turn.DECIDER
    )


def _is_admitted(world: GrantWorld) -> bool:
    api = world.api
    return (
        world.agency is not None
        and api is not None
        and api.metadata.deletion_timestamp is None
        and api.spec.access.approval is Approval.AUTOMATIC
    )


def _had_access(world: GrantWorld) -> bool:
    grant, ended = world.grant, {CredentialsReadyReason.REVOKED, CredentialsReadyReason.REVOKING}
    return bool(world.keys or grant.status.keys) or any(
        condition.type == ConditionType.CREDENTIALS_READY and condition.reason in ended
        for condition in grant.status.conditions
    )


def _foreign_secret(world: GrantWorld) -> bool:
    secret = world.objects.get(naming.secret_key(world.grant))
    return secret is not None and not naming.is_ours(secret, CONECTA_GRANT, world.grant.metadata)


def _credentials(reason: CredentialsReadyReason, message: str, turn: Turn = Turn.OPERATOR) -> Finding:
    status = ConditionStatus.TRUE if reason is CredentialsReadyReason.ISSUED else ConditionStatus.FALSE
    return Finding(type=ConditionType.CREDENTIALS_READY, status=status, reason=reason, message=message, turn=turn)


def _secret_conflict(grant: ConectaGrant) -> Finding:
    return _credentials(
        CredentialsReadyReason.CONFLICTED,
        f"Secret {grant.secret_name} exists and is not this grant's, so it is left alone; "
        "delete it, or choose another spec.credential.secretName.",
        Turn.AUTHOR,
    )


def _revoking() -> Finding:
    return _credentials(
        CredentialsReadyReason.REVOKING, "Waiting for the API's SecurityPolicy to refuse the key's tokens."
    )


def _being_deleted() -> Finding:
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.FALSE,
        reason=ReadyReason.DELETING,
        message="The grant is being deleted; its access is taken away first.",
    )


def _programmed(api: ConectaApi) -> Finding:
    name = f"ConectaApi {api.metadata.namespace}/{api.metadata.name}"
    stated = {condition.type: condition for condition in api.status.conditions}
    ready = stated.get(ConditionType.READY)
    if ready is not None and ready.status is ConditionStatus.TRUE:
        return Finding(
            type=ConditionType.PROGRAMMED,
            status=ConditionStatus.TRUE,
            reason=ProgrammedReason.PROGRAMMED,
            message=f"The gateway serves {name}.",
        )
    because = f": {ready.message}" if ready is not None else "."
    return Finding(
        type=ConditionType.PROGRAMMED,
        status=ConditionStatus.FALSE,
        reason=ProgrammedReason.PENDING,
        message=f"The gateway does not serve {name} yet{because}",
        turn=Turn.DECIDER if ConditionType.STALLED in stated else Turn.OPERATOR,
    )


def _plan(
    world: GrantWorld,
    steps: tuple[Step, ...],
    findings: Sequence[Finding],
    keys: Sequence[Key],
    *,
    current: Key | None = None,
    look_again_in: timedelta | None = None,
) -> GrantPlan:
    grant, platform = world.grant, world.platform
    url = f"{platform.gateway_url}{world.api.base_path}" if world.api is not None and keys else None
    status: Manifest = {
        "observedGeneration": grant.metadata.generation,
        "url": url,
        "tokenUrl": f"{platform.gateway_url}{platform.token_path}" if url else None,
        "keys": [_report(key) for key in keys] or None,
        "binding": {"name": grant.secret_name} if current is not None else None,
        "conditions": conditions(
            findings,
            when_ready=f"The key in Secret {grant.secret_name} opens {url}.",
            generation=grant.metadata.generation,
            old=grant.status.conditions,
            now=world.now,
        ),
    }
    return GrantPlan(steps=steps, status=status, look_again_in=look_again_in)


def _report(key: Key) -> Manifest:
    report = {
        "clientId": key.client_id,
        "state": str(KeyState.ACTIVE if key.retires_at is None else KeyState.RETIRING),
        "issuedAt": timestamp(key.issued_at),
    }
    return report if key.retires_at is None else {**report, "retiresAt": timestamp(key.retires_at)}
