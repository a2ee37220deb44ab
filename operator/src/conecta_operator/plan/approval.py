"""Whether a grant has been admitted, by whom, and on which terms.

People's decisions stand in `status.approval` and are never overruled here. Where nobody has decided, the rules of the
API (`spec.access`) do, and the operator writes their decision down under its own name.

A person approves the use of the API that there is. One that is created later under the same name may have other data;
`status.approvalSeen` tells which it was.
"""

from dataclasses import dataclass
from typing import Final

from conecta_operator.api.approvals import ApprovalSeen, Decision, DecisionRule, GrantApproval, Terms
from conecta_operator.api.conditions import ApprovedReason, ConditionStatus, ConditionType
from conecta_operator.api.conecta_api import Approval, ConectaApi
from conecta_operator.api.durations import timestamp
from conecta_operator.plan.leaving import is_leaving
from conecta_operator.plan.summary import Finding, Turn
from conecta_operator.plan.world import GrantWorld

__all__ = ["Admission", "admission"]


@dataclass(frozen=True)
class Admission:
    """What holds over a grant now.

    `approval` and `seen` are what status shall say; `terms` are those in force, None when the grant has no right.
    """

    approval: GrantApproval | None
    seen: ApprovalSeen | None
    finding: Finding
    terms: Terms | None


def admission(world: GrantWorld, *, had_access: bool, is_eligible: bool) -> Admission:
    """The standing decision, a rule's renewed one, or that there is none yet.

    `is_eligible` tells whether the request is one that may be admitted by a rule at all.
    """
    approval = _decided(world, is_eligible=is_eligible)
    seen = _seen(world, approval)
    finding = _finding(world, approval, seen, had_access=had_access)
    return Admission(approval, seen, finding, approval.terms if approval is not None and finding.holds else None)


def _seen(world: GrantWorld, approval: GrantApproval | None) -> ApprovalSeen | None:
    """For which API somebody has approved: the one that there was when the approval was first looked at."""
    before = world.grant.status.approval_seen
    if approval is None or approval.rule is not None or approval.decision is not Decision.APPROVED:
        return None
    if world.api is None or (before is not None and (before.by, before.at) == (approval.by, approval.at)):
        return before
    return ApprovalSeen(by=approval.by, at=approval.at, api_uid=world.api.metadata.uid)


def _decided(world: GrantWorld, *, is_eligible: bool) -> GrantApproval | None:
    standing = world.grant.status.approval
    decided_by_somebody = standing is not None and standing.rule is None
    if decided_by_somebody or world.api is None or world.api.metadata.deletion_timestamp is not None:
        return standing
    asked = _rule_for(world, world.api, world.grant.spec.plan) if is_eligible else None
    if asked is not None:
        return _kept(standing, _approved_by(asked, world))
    if standing is None or standing.rule is None or standing.decision is not Decision.APPROVED:
        return standing
    in_force = _rule_for(world, world.api, standing.terms.plan) if is_eligible and standing.terms is not None else None
    return standing if in_force is not None else _withdrawn(standing, standing.rule, world)


def _withdrawn(standing: GrantApproval, rule: DecisionRule, world: GrantWorld) -> GrantApproval:
    return standing.model_copy(
        update={
            "decision": Decision.REVOKED,
            "by": world.platform.operator_user,
            "at": world.now,
            "message": f"spec.{rule} of the API admits this grant no longer.",
        }
    )


def _rule_for(world: GrantWorld, api: ConectaApi, plan: str | None) -> DecisionRule | None:
    """What admits this agency for this plan, if it is one that the API offers."""
    if world.agency is None or not api.spec.offers(plan):
        return None
    for entry in api.spec.access.preapproved:
        if entry.agency == world.agency.slug and (not entry.plans or plan in entry.plans):
            return DecisionRule.PREAPPROVED
    return DecisionRule.APPROVAL if api.spec.access.approval is Approval.AUTOMATIC else None


def _approved_by(rule: DecisionRule, world: GrantWorld) -> GrantApproval:
    return GrantApproval(
        decision=Decision.APPROVED,
        by=world.platform.operator_user,
        at=world.now,
        message=_ADMITS[rule],
        rule=rule,
        terms=world.grant.spec.terms,
    )


_ADMITS: Final = {
    DecisionRule.APPROVAL: "The API admits every agency (spec.access.approval: Automatic).",
    DecisionRule.PREAPPROVED: "The API admits this agency (spec.access.preapproved).",
}


def _kept(standing: GrantApproval | None, renewed: GrantApproval) -> GrantApproval:
    """The standing decision when the renewed one says nothing else: `at` is when it was first taken."""
    if standing is not None and standing.model_copy(update={"at": renewed.at}) == renewed:
        return standing
    return renewed


def _finding(
    world: GrantWorld, approval: GrantApproval | None, seen: ApprovalSeen | None, *, had_access: bool
) -> Finding:
    reference = world.grant.spec.api_ref
    name = f"ConectaApi {reference.namespace}/{reference.name}"
    if is_leaving(world.api, world.provider_namespace) and (approval is not None or had_access):
        return _not(ApprovedReason.API_DELETED, f"{name} is deleted, and with it every right to call it.")
    if approval is None:
        return _not(ApprovedReason.PENDING, f"The provider of {name} has not decided yet.")
    if seen is not None and world.api is not None and seen.api_uid != world.api.metadata.uid:
        return _not(
            ApprovedReason.PENDING,
            f"{approval.by} approved the use of an earlier {name}, which is deleted; the provider has to decide anew, "
            f"over the one that was created at {timestamp(world.api.metadata.creation_timestamp)}.",
        )
    if approval.decision is Decision.APPROVED:
        return _approved(world, approval, name)
    said = f": {approval.message}" if approval.message else "."
    if approval.rule is not None:
        return _not(ApprovedReason.WITHDRAWN, f"{name} admits this grant no longer{said}")
    reason = ApprovedReason.DENIED if approval.decision is Decision.DENIED else ApprovedReason.REVOKED
    verb = "denied the request" if reason is ApprovedReason.DENIED else "revoked the grant"
    return _not(reason, f"{approval.by} has {verb}{said}")


def _approved(world: GrantWorld, approval: GrantApproval, name: str) -> Finding:
    terms, asked = approval.terms, world.grant.spec.terms
    if terms is not None and world.api is not None and not _is_active(world.api, terms.plan):
        return _not(ApprovedReason.PLAN_INACTIVE, f"The provider has switched plan {terms.plan} of {name} off.")
    if terms is not None and terms != asked:
        waiting = ", ".join(_differing(terms, asked))
        message = f"What was approved is in force; the change of {waiting} waits for the provider of {name}."
        return _is(ApprovedReason.CHANGE_PENDING, message)
    if approval.rule is None:
        return _is(ApprovedReason.APPROVED, f"{approval.by} has approved the grant.")
    by_list = approval.rule is DecisionRule.PREAPPROVED
    reason = ApprovedReason.PREAPPROVED if by_list else ApprovedReason.AUTOMATIC
    return _is(reason, f"{name}: {approval.message}")


def _is_active(api: ConectaApi, plan: str | None) -> bool:
    return plan is None or any(offered.name == plan and offered.active for offered in api.spec.plans)


def _differing(terms: Terms, asked: Terms) -> list[str]:
    approved, wanted = terms.as_manifest(), asked.as_manifest()
    return [f"spec.{field}" for field in sorted({*approved, *wanted}) if approved.get(field) != wanted.get(field)]


def _is(reason: ApprovedReason, message: str) -> Finding:
    return Finding(type=ConditionType.APPROVED, status=ConditionStatus.TRUE, reason=reason, message=message)


def _not(reason: ApprovedReason, message: str) -> Finding:
    return Finding(
        type=ConditionType.APPROVED,
        status=ConditionStatus.FALSE,
        reason=reason,
        message=message,
        turn=Turn.DECIDER,
    )
