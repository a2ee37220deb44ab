"""What becomes of a ConectaApi: the objects that make the gateway serve it, and what its status says."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from conecta_operator.api.conditions import (
    AcceptedReason,
    ConditionStatus,
    ConditionType,
    ProgrammedReason,
)
from conecta_operator.api.conecta_api import RevokedKey
from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import CONECTA_API, NETWORK_POLICY, Manifest, ObjectKey, key_of
from conecta_operator.plan import naming, references
from conecta_operator.plan.api_forms import contexts_of
from conecta_operator.plan.backend_faults import faults
from conecta_operator.plan.certificates import certificate_ends
from conecta_operator.plan.claims import holder
from conecta_operator.plan.deletion import deletion, finalizer
from conecta_operator.plan.network import network_of_api
from conecta_operator.plan.notices import deprecated_at
from conecta_operator.plan.plans import ApiPlan, DeleteObject, Step, WriteObject
from conecta_operator.plan.summary import Finding, Turn, conditions
from conecta_operator.plan.verdict import SILENT, Answer, verdict, written_at
from conecta_operator.plan.world import ApiWorld
from conecta_operator.plan.writing import write_if_different
from conecta_operator.render.forms import Forms

__all__ = ["desired"]

_ISSUER_AWAY: Final = timedelta(seconds=5)
_GATEWAY_SILENT: Final = timedelta(seconds=30)
"""The gateway takes a change up in a second. Until then it serves what it served before, so that is no news: each
revocation changes a policy."""
_IN_ORDER: Final = (NETWORK_POLICY, *naming.GENERATED_FOR_API)
"""Kinds that an API becomes, in the order of writing."""


def desired(world: ApiWorld, forms: Forms) -> ApiPlan:
    """The steps that bring the cluster to what the API asks for, and its status after them.

    An API that is not accepted serves nothing: what was written for it goes away, route first. One that is being
    deleted goes on serving while it waits for its grants.
    """
    accepted, resolved = _accepted(world), references.resolved_refs(world)
    deleted = deletion(world)
    if deleted is not None and not deleted.goes_on_serving:
        removals = _removals(world, keep=())
        if deleted.last_steps:
            return ApiPlan(steps=(*removals, *deleted.last_steps), status=None)
        return _plan(world, removals, (deleted.finding, resolved, _not_wanted()))
    if not accepted.holds:
        return _plan(world, _removals(world, keep=()), (accepted, resolved, _not_wanted()))
    stated = accepted if deleted is None else deleted.finding
    jwks = world.jwks or _kept_jwks(world)
    if jwks is None:
        pending = _programmed(ProgrammedReason.PENDING, "The token issuer is away; its keys are needed first.")
        return _plan(world, (), (stated, resolved, pending), look_again_in=_ISSUER_AWAY)
    revoked, network = [entry.client_id for entry in _still_revoked(world)], network_of_api(world)
    contexts = contexts_of(world, jwks=jwks, revoked_client_ids=revoked, network=network.contexts)
    wanted = [forms.write(context) for context in contexts]
    writes = [step for manifest in wanted for step in write_if_different(manifest, world.objects.get(key_of(manifest)))]
    steps = (*finalizer(world), *writes, *_removals(world, keep=wanted))
    programmed, look_again_in = _answered(world, wanted, [step for step in writes if _is_answered(step.manifest)])
    return _plan(world, steps, (stated, resolved, programmed), look_again_in, (network.finding,))


def _accepted(world: ApiWorld) -> Finding:
    def refused(reason: AcceptedReason, message: str) -> Finding:
        return Finding(
            type=ConditionType.ACCEPTED,
            status=ConditionStatus.FALSE,
            reason=reason,
            message=message,
            turn=Turn.AUTHOR,
        )

    api = world.api
    if world.agency is None:
        return refused(
            AcceptedReason.NOT_AN_AGENCY,
            f"Namespace {api.metadata.namespace} belongs to no agency; ask the platform team to register it.",
        )
    found = faults(world)
    if found:
        return refused(AcceptedReason.INVALID_BACKEND, " ".join(found))
    owner = holder(api, world.rivals)
    if owner is not api:
        return refused(
            AcceptedReason.CONFLICTED,
            f"Base path {api.base_path} is held by the older ConectaApi {owner.metadata.namespace}/"
            f"{owner.metadata.name}; create this one anew with another spec.basePath.",
        )
    foreign = _foreign(world)
    if foreign:
        return refused(
            AcceptedReason.CONFLICTED,
            f"{', '.join(foreign)} and was not written for this API; delete it, or create this API under another name.",
        )
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.TRUE,
        reason=AcceptedReason.ACCEPTED,
        message=f"The API has base path {api.base_path}.",
    )


def _foreign(world: ApiWorld) -> list[str]:
    return [
        f"{key.kind.name} {key.name} exists in namespace {key.namespace}"
        for key in _generated(world)
        if not naming.is_ours(world.objects[key], CONECTA_API, world.api.metadata)
    ]


def _generated(world: ApiWorld) -> list[ObjectKey]:
    """What is there under names that are the API's, in the order of writing."""
    keys = [key for key in world.objects if key.kind in _IN_ORDER and _owner(key) == world.api.key]
    return sorted(keys, key=lambda key: (_IN_ORDER.index(key.kind), key.namespace, key.name))


def _owner(key: ObjectKey) -> ObjectKey | None:
    return naming.owner_of_network_policy(key) if key.kind == NETWORK_POLICY else naming.api_of_generated(key)


def _programmed(reason: ProgrammedReason, message: str, turn: Turn = Turn.OPERATOR) -> Finding:
    status = ConditionStatus.TRUE if reason is ProgrammedReason.PROGRAMMED else ConditionStatus.FALSE
    return Finding(type=ConditionType.PROGRAMMED, status=status, reason=reason, message=message, turn=turn)


def _not_wanted() -> Finding:
    return _programmed(ProgrammedReason.NOT_WANTED, "Nothing is served while the API is not accepted.")


def _is_answered(manifest: Manifest) -> bool:
    """Whether the gateway says what it makes of such an object."""
    return key_of(manifest).kind not in SILENT


def _answered(
    world: ApiWorld, wanted: Sequence[Manifest], writes: Sequence[WriteObject]
) -> tuple[Finding, timedelta | None]:
    """What the gateway says, and when its silence will have lasted too long."""
    live = [world.objects[key_of(new)] for new in wanted if _is_answered(new) and key_of(new) in world.objects]
    answer = verdict(live, world.platform)
    if not writes and answer.answer is Answer.REFUSED:
        return _programmed(ProgrammedReason.REFUSED, f"The gateway refuses it: {answer.message}", Turn.AUTHOR), None
    patience = _patience(world, live, writes) if writes or answer.answer is Answer.PENDING else None
    if patience is None or patience > timedelta(0):
        return _programmed(ProgrammedReason.PROGRAMMED, "The gateway serves this generation."), patience
    return _programmed(ProgrammedReason.PENDING, "Waiting for the gateway to accept what was written."), None


def _patience(world: ApiWorld, live: Sequence[Manifest], writes: Sequence[WriteObject]) -> timedelta:
    """How long the gateway may still say nothing about a change of what it serves; nothing for a first answer."""
    api = world.api
    was_served = any(
        stated.type == ConditionType.PROGRAMMED
        and stated.status is ConditionStatus.TRUE
        and stated.observed_generation == api.metadata.generation
        for stated in api.status.conditions
    )
    if not was_served or any(write.over is None for write in writes):
        return timedelta(0)
    if writes:
        return _GATEWAY_SILENT
    unanswered = [manifest for manifest in live if verdict([manifest], world.platform).answer is Answer.PENDING]
    return (
        min(written_at(manifest) or world.now - _GATEWAY_SILENT for manifest in unanswered)
        + _GATEWAY_SILENT
        - world.now
    )


def _kept_jwks(world: ApiWorld) -> str | None:
    kept = world.objects.get(naming.jwks_key(world.api.metadata.namespace))
    return ((kept or {}).get("data") or {}).get("jwks")


def _still_revoked(world: ApiWorld) -> tuple[RevokedKey, ...]:
    return tuple(entry for entry in world.api.status.revoked_keys if entry.until > world.now)


def _removals(world: ApiWorld, *, keep: Sequence[Manifest]) -> tuple[Step, ...]:
    kept = {key_of(manifest) for manifest in keep}
    return tuple(
        DeleteObject(world.objects[key])
        for key in reversed(_generated(world))
        if key not in kept and naming.is_ours(world.objects[key], CONECTA_API, world.api.metadata)
    )


def _plan(
    world: ApiWorld,
    steps: tuple[Step, ...],
    findings: tuple[Finding, ...],
    look_again_in: timedelta | None = None,
    remarks: tuple[Finding, ...] = (),
) -> ApiPlan:
    api, revoked = world.api, _still_revoked(world)
    url = f"{world.platform.gateway_url}{api.base_path}"
    is_served = findings[-1].reason is not ProgrammedReason.NOT_WANTED
    expiries = [entry.until - world.now for entry in revoked]
    status = {
        "observedGeneration": api.metadata.generation,
        "url": url if is_served else None,
        "deprecatedAt": timestamp(since) if (since := deprecated_at(api, world.now)) else None,
        "grants": {
            "active": sum(grant.is_active for grant in world.grants),
            "pending": sum(grant.is_pending for grant in world.grants),
        },
        "revokedKeys": [{"clientId": entry.client_id, "until": timestamp(entry.until)} for entry in revoked] or None,
        "conditions": conditions(
            findings,
            remarks=remarks,
            when_ready=f"Calls are served at {url}.",
            generation=api.metadata.generation,
            old=api.status.conditions,
            now=world.now,
        ),
    }
    ends = certificate_ends(world)
    later = (look_again_in, references.look_again_in(world), *expiries, *(end.wait(world.now) for end in ends))
    waits = [wait for wait in later if wait is not None]
    return ApiPlan(steps=steps, status=status, look_again_in=min(waits, default=None), certificate_ends=ends)
