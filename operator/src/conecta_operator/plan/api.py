"""What becomes of a ConectaApi: the objects that make the gateway serve it, and what its status says."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from conecta_operator.api.conditions import (
    AcceptedReason,
    ConditionStatus,
    ConditionType,
    ProgrammedReason,
    ResolvedRefsReason,
)
from conecta_operator.api.conecta_api import RevokedKey
from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import CONECTA_API, CONFIG_MAP, Manifest, key_of
from conecta_operator.plan import backends, naming, reads
from conecta_operator.plan.api_forms import contexts_of
from conecta_operator.plan.claims import holder
from conecta_operator.plan.deletion import deletion, finalizer
from conecta_operator.plan.plans import ApiPlan, DeleteObject, Step
from conecta_operator.plan.summary import Finding, Turn, conditions
from conecta_operator.plan.verdict import Answer, verdict
from conecta_operator.plan.world import ApiWorld
from conecta_operator.plan.writing import write_if_different
from conecta_operator.render.forms import Forms

__all__ = ["desired"]

_ISSUER_AWAY: Final = timedelta(seconds=5)
_CA_FIELD: Final = "ca.crt"


def desired(world: ApiWorld, forms: Forms) -> ApiPlan:
    """The steps that bring the cluster to what the API asks for, and its status after them.

    An API that is not accepted serves nothing: what was written for it goes away, route first. One that is being
    deleted goes on serving while it waits for its grants.
    """
    accepted, resolved = _accepted(world), _resolved_refs(world)
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
    contexts = contexts_of(world, jwks=jwks, revoked_client_ids=[entry.client_id for entry in _still_revoked(world)])
    wanted = [forms.write(context) for context in contexts]
    writes = [step for manifest in wanted for step in write_if_different(manifest, world.objects.get(key_of(manifest)))]
    steps = (*finalizer(world), *writes, *_removals(world, keep=wanted))
    is_settled = all(key_of(step.manifest).kind == CONFIG_MAP for step in writes)
    return _plan(world, steps, (stated, resolved, _answered(world, wanted, is_settled=is_settled)))


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
    faults = backends.violations(api.spec.backend.url, world.platform) if api.spec.backend.url else []
    if faults:
        return refused(AcceptedReason.INVALID_BACKEND, f"spec.backend.url can't be used: {'; '.join(faults)}.")
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
            f"{', '.join(foreign)} exists in namespace {api.metadata.namespace} and was not written for this API; "
            "delete it, or create this API under another name.",
        )
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.TRUE,
        reason=AcceptedReason.ACCEPTED,
        message=f"The API has base path {api.base_path}.",
    )


def _foreign(world: ApiWorld) -> list[str]:
    found = (world.objects.get(key) for key in naming.generated_for_api(world.api))
    return [
        f"{manifest['kind']} {manifest['metadata']['name']}"
        for manifest in found
        if manifest is not None and not naming.is_ours(manifest, CONECTA_API, world.api.metadata)
    ]


def _resolved_refs(world: ApiWorld) -> Finding:
    missing = _missing_service(world) or _missing_ca(world)
    if missing is None:
        return Finding(
            type=ConditionType.RESOLVED_REFS,
            status=ConditionStatus.TRUE,
            reason=ResolvedRefsReason.RESOLVED_REFS,
            message="Everything that the API refers to exists.",
        )
    reason, message = missing
    return Finding(
        type=ConditionType.RESOLVED_REFS,
        status=ConditionStatus.FALSE,
        reason=reason,
        message=message,
        turn=Turn.AUTHOR,
    )


def _missing_service(world: ApiWorld) -> tuple[ResolvedRefsReason, str] | None:
    key, wanted = reads.service_of(world.api), world.api.spec.backend.service
    if key is None or wanted is None:
        return None
    service = world.objects.get(key)
    if service is None:
        problem = f"Service {wanted.name} does not exist in namespace {key.namespace}; create it"
    elif service["spec"].get("type") == "ExternalName":
        problem = f"Service {wanted.name} is of type ExternalName, which can point anywhere; use spec.backend.url"
    elif wanted.port not in [port["port"] for port in service["spec"].get("ports") or []]:
        problem = f"Service {wanted.name} has no port {wanted.port}; add it"
    else:
        return None
    return ResolvedRefsReason.BACKEND_NOT_FOUND, f"{problem}, or correct spec.backend.service."


def _missing_ca(world: ApiWorld) -> tuple[ResolvedRefsReason, str] | None:
    key = reads.ca_bundle_of(world.api)
    if key is None:
        return None
    bundle = world.objects.get(key)
    if bundle is None:
        problem = f"ConfigMap {key.name} does not exist in namespace {key.namespace}"
    elif not (bundle.get("data") or {}).get(_CA_FIELD):
        problem = f"ConfigMap {key.name} in namespace {key.namespace} has no {_CA_FIELD}"
    else:
        return None
    message = f"{problem}; create it with the CA certificates (PEM) under {_CA_FIELD}, or correct spec.backend.tls."
    return ResolvedRefsReason.REF_NOT_FOUND, message


def _programmed(reason: ProgrammedReason, message: str, turn: Turn = Turn.OPERATOR) -> Finding:
    status = ConditionStatus.TRUE if reason is ProgrammedReason.PROGRAMMED else ConditionStatus.FALSE
    return Finding(type=ConditionType.PROGRAMMED, status=status, reason=reason, message=message, turn=turn)


def _not_wanted() -> Finding:
    return _programmed(ProgrammedReason.NOT_WANTED, "Nothing is served while the API is not accepted.")


def _answered(world: ApiWorld, wanted: Sequence[Manifest], *, is_settled: bool) -> Finding:
    live = [world.objects[key] for key in map(key_of, wanted) if key.kind != CONFIG_MAP and key in world.objects]
    answer = verdict(live, world.platform)
    if not is_settled or answer.answer is Answer.PENDING:
        return _programmed(ProgrammedReason.PENDING, "Waiting for the gateway to accept what was written.")
    if answer.answer is Answer.REFUSED:
        return _programmed(ProgrammedReason.REFUSED, f"The gateway refuses it: {answer.message}", Turn.AUTHOR)
    return _programmed(ProgrammedReason.PROGRAMMED, "The gateway serves this generation.")


def _kept_jwks(world: ApiWorld) -> str | None:
    kept = world.objects.get(naming.jwks_key(world.api.metadata.namespace))
    return ((kept or {}).get("data") or {}).get("jwks")


def _still_revoked(world: ApiWorld) -> tuple[RevokedKey, ...]:
    return tuple(entry for entry in world.api.status.revoked_keys if entry.until > world.now)


def _removals(world: ApiWorld, *, keep: Sequence[Manifest]) -> tuple[Step, ...]:
    kept = {key_of(manifest) for manifest in keep}
    return tuple(
        DeleteObject(world.objects[key])
        for key in reversed(naming.generated_for_api(world.api))
        if key in world.objects
        and key not in kept
        and naming.is_ours(world.objects[key], CONECTA_API, world.api.metadata)
    )


def _plan(
    world: ApiWorld,
    steps: tuple[Step, ...],
    findings: tuple[Finding, ...],
    look_again_in: timedelta | None = None,
) -> ApiPlan:
    api, revoked = world.api, _still_revoked(world)
    url = f"{world.platform.gateway_url}{api.base_path}"
    is_served = findings[-1].reason is not ProgrammedReason.NOT_WANTED
    expiries = [entry.until - world.now for entry in revoked]
    status = {
        "observedGeneration": api.metadata.generation,
        "url": url if is_served else None,
        "grants": {
            "active": sum(grant.is_active for grant in world.grants),
            "pending": sum(grant.is_pending for grant in world.grants),
        },
        "revokedKeys": [{"clientId": entry.client_id, "until": timestamp(entry.until)} for entry in revoked] or None,
        "conditions": conditions(
            findings,
            when_ready=f"Calls are served at {url}.",
            generation=api.metadata.generation,
            old=api.status.conditions,
            now=world.now,
        ),
    }
    waits = [wait for wait in (look_again_in, *expiries) if wait is not None]
    return ApiPlan(steps=steps, status=status, look_again_in=min(waits, default=None))
