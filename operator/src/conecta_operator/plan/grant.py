"""What becomes of a ConectaGrant: its key, and what its status says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from conecta_operator.api.approvals import Decision, Terms
from conecta_operator.api.conditions import ConditionType, CredentialsReadyReason
from conecta_operator.api.keys import Key
from conecta_operator.plan import grant_findings, naming
from conecta_operator.plan.approval import Admission, admission
from conecta_operator.plan.grant_findings import credentials
from conecta_operator.plan.grant_status import GrantReport, status_of
from conecta_operator.plan.issuance import Issuance, issuance
from conecta_operator.plan.network import GrantNetwork, network_of_grant, no_network_of_grant
from conecta_operator.plan.plans import GrantPlan, RemoveKey, SetFinalizers, Step
from conecta_operator.plan.request import accepted
from conecta_operator.plan.revocation import Denial, admit, client_ids_of, deny_all, revocation, silenced
from conecta_operator.plan.right import Right
from conecta_operator.plan.source_ranges import are_enforced
from conecta_operator.plan.stops import Stop, next_change, stop
from conecta_operator.plan.summary import Finding
from conecta_operator.plan.world import GrantWorld
from conecta_operator.render.forms import Forms

__all__ = ["desired"]

_AT_ONCE: Final = timedelta(0)
_UNDER_WAY: Final = timedelta(milliseconds=500)
_ISSUER_AWAY: Final = timedelta(seconds=5)
_FOREIGN_SECRET: Final = timedelta(seconds=30)
"""Of Secrets, only those of our type are watched: that another one is gone must be looked for."""
_STOPPED: Final = frozenset({CredentialsReadyReason.SUSPENDED, CredentialsReadyReason.AGENCY_SUSPENDED})


def desired(world: GrantWorld, forms: Forms) -> GrantPlan:
    """The steps towards what the grant asks for and is entitled to, and its status after them.

    A grant that is not, or no longer, entitled to a key loses all that it has. A decision that a rule takes, and which
    API a person's is about, is written down first, and acted on when it stands there.
    """
    if world.grant.metadata.deletion_timestamp is not None:
        return _farewell(world)
    request, resolved = accepted(world), grant_findings.resolved_refs(world)
    decided = admission(world, had_access=grant_findings.had_access(world), is_eligible=request.holds)
    entitled = (request, resolved, decided.finding)
    if world.api is None or world.agency is None or not request.holds or decided.terms is None:
        return _without_access(world, decided, entitled)
    if not _is_written_down(world, decided):
        pending = credentials(CredentialsReadyReason.PENDING, "The approval is being written down.")
        return _plan(world, (), (*entitled, pending), decided, look_again_in=_AT_ONCE)
    stopped = stop(world, decided.terms)
    if stopped is not None and not stopped.keeps_key:
        return _without_access(world, decided, entitled, stopped)
    if stopped is not None:
        return _asleep(world, decided, entitled, stopped, network_of_grant(world, forms))
    right = Right(grant=world.grant, api=world.api, agency=world.agency, terms=decided.terms)
    return _with_key(world, right, decided, entitled, forms)


def _is_written_down(world: GrantWorld, decided: Admission) -> bool:
    """Renewed terms of a right that stands already may be written down along the way."""
    status = world.grant.status
    standing, seen = status.approval, status.approval_seen
    if decided.approval != standing and (standing is None or standing.decision is not Decision.APPROVED):
        return False
    if decided.seen is None or decided.seen == seen:
        return True
    is_same_api = seen is None or seen.api_uid == decided.seen.api_uid
    return is_same_api and bool(world.keys or status.keys)


def _with_key(
    world: GrantWorld, right: Right, decided: Admission, entitled: tuple[Finding, ...], forms: Forms
) -> GrantPlan:
    network = network_of_grant(world, forms)
    if conflict := grant_findings.foreign_secret(world):
        look_again_in = min(_FOREIGN_SECRET, next_change(world, right.terms) or _FOREIGN_SECRET)
        return _plan(world, (), (*entitled, conflict), decided, look_again_in=look_again_in, network=network)
    if world.keys is None:
        findings = (*entitled, grant_findings.issuer_away(world))
        return _plan(world, (), findings, decided, look_again_in=_ISSUER_AWAY, network=network)
    if not are_enforced(world, right.terms):
        pending = credentials(CredentialsReadyReason.PENDING, "The gateway is being told of the source ranges.")
        return _plan(world, (), (*entitled, pending), decided, look_again_in=_UNDER_WAY, network=network)
    issued = issuance(world, right, keys=world.keys, forms=forms)
    let_through = _let_through(world, issued)
    finding = _issued(world, issued, is_let_through=let_through.is_in_force)
    let_through_in = None if let_through.is_in_force else _UNDER_WAY
    waits = (next_change(world, right.terms), issued.look_again_in, let_through_in)
    return _plan(
        world,
        (*issued.steps, *let_through.steps),
        (*entitled, finding),
        decided,
        keys=issued.keys,
        current=issued.current,
        look_again_in=min((wait for wait in waits if wait is not None), default=None),
        network=network,
    )


def _let_through(world: GrantWorld, issued: Issuance) -> Denial:
    """What lets the keys through that go on. One that is about to be replaced may have leaked, and isn't helped."""
    if issued.is_settled:
        return admit(world, [key.client_id for key in issued.keys if not key.suspended])
    current = [issued.current.client_id] if issued.current is not None else []
    return Denial((), admit(world, current).is_in_force)


def _issued(world: GrantWorld, issued: Issuance, *, is_let_through: bool) -> Finding:
    if issued.current is None:
        return credentials(CredentialsReadyReason.PENDING, "The key is being issued.")
    if not is_let_through:
        return credentials(CredentialsReadyReason.PENDING, "The gateway is being told to let the key through again.")
    return credentials(
        CredentialsReadyReason.ISSUED, f"The key {issued.current.client_id} is in Secret {world.grant.secret_name}."
    )


def _wait_for(world: GrantWorld) -> timedelta:
    return _ISSUER_AWAY if world.keys is None else _UNDER_WAY


def _asleep(
    world: GrantWorld, decided: Admission, entitled: tuple[Finding, ...], stopped: Stop, network: GrantNetwork
) -> GrantPlan:
    """Calls stop and tokens are refused, while keys and Secret stay for when it goes on."""
    denial = deny_all(world)
    keys = tuple(replace(key, suspended=True) for key in world.keys or ())
    is_complete = world.keys is not None and (denial.is_in_force or _is_asleep_already(world))
    finding = credentials(stopped.reason, stopped.message, grant_findings.Turn.DECIDER)
    if not is_complete:
        finding = grant_findings.revoking(world, "stop")
    return _plan(
        world,
        (*denial.steps, *silenced(world)),
        (*entitled, finding),
        decided,
        keys=keys if world.keys is not None else None,
        current=next((key for key in keys if key.retires_at is None), None),
        look_again_in=_next_look(world, decided.terms) if is_complete else _wait_for(world),
        network=network,
    )


def _is_asleep_already(world: GrantWorld) -> bool:
    """Whether the keys were stopped before: whatever was written into the policy since then denies them as well."""
    stated = {condition.type: condition.reason for condition in world.grant.status.conditions}
    return stated.get(ConditionType.CREDENTIALS_READY) in _STOPPED and not silenced(world)


def _next_look(world: GrantWorld, terms: Terms | None) -> timedelta | None:
    return next_change(world, terms) if terms is not None else None


def _farewell(world: GrantWorld) -> GrantPlan:
    if naming.REVOKE_FINALIZER not in world.grant.metadata.finalizers:
        return GrantPlan(steps=(), status=None)
    revoked = revocation(world)
    if revoked.is_complete:
        steps = (*no_network_of_grant(world).steps, *revoked.steps)
        return GrantPlan(steps=(*steps, SetFinalizers(())), status=None)
    findings = (grant_findings.being_deleted(), grant_findings.revoking(world, "end"))
    return _plan(world, revoked.steps, findings, None, keys=world.keys, look_again_in=_wait_for(world))


def _without_access(
    world: GrantWorld, decided: Admission, entitled: tuple[Finding, ...], stopped: Stop | None = None
) -> GrantPlan:
    revoked = revocation(world)
    if not revoked.is_complete and (revoked.steps or client_ids_of(world) or world.keys is None):
        revoking = grant_findings.revoking(world, "end")
        findings = (revoking, *entitled) if client_ids_of(world) else (*entitled, revoking)
        return _plan(world, revoked.steps, findings, decided, keys=world.keys, look_again_in=_wait_for(world))
    if stopped is not None:
        finding = credentials(stopped.reason, stopped.message, grant_findings.Turn.DECIDER)
    elif grant_findings.had_access(world):
        finding = credentials(CredentialsReadyReason.REVOKED, "The key is deleted and its tokens are refused.")
    else:
        finding = credentials(CredentialsReadyReason.PENDING, "No key is issued before the grant is approved.")
    return _plan(
        world, revoked.steps, (*entitled, finding), decided, keys=(), look_again_in=_next_look(world, decided.terms)
    )


def _plan(
    world: GrantWorld,
    steps: tuple[Step, ...],
    findings: Sequence[Finding],
    decided: Admission | None,
    *,
    keys: Sequence[Key] | None = None,
    current: Key | None = None,
    look_again_in: timedelta | None = None,
    network: GrantNetwork | None = None,
) -> GrantPlan:
    """Without a `network`, the grant has none, and what was written for it goes."""
    network = network or no_network_of_grant(world)
    report = GrantReport(
        findings=(*findings, *grant_findings.programmed(world)),
        remarks=network.findings,
        decided=decided,
        keys=keys,
        current=current,
        removed={step.client_id for step in steps if isinstance(step, RemoveKey)},
    )
    rest = (step for step in steps if step not in network.steps)
    return GrantPlan(steps=(*network.steps, *rest), status=status_of(world, report), look_again_in=look_again_in)
