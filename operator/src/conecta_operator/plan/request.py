"""Whether what a grant asks for can be asked for at all: everything that is missing, named at once."""

from conecta_operator.api.approvals import Decision
from conecta_operator.api.conditions import AcceptedReason, ConditionStatus, ConditionType
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.plan.summary import Finding, Turn
from conecta_operator.plan.world import GrantWorld

__all__ = ["accepted"]


def accepted(world: GrantWorld) -> Finding:
    """The grant's condition Accepted."""
    spec, namespace = world.grant.spec, world.grant.metadata.namespace
    if world.agency is None:
        return _refused(
            AcceptedReason.NOT_AN_AGENCY,
            f"Namespace {namespace} belongs to no agency; ask the platform team to register it.",
        )
    if world.api is not None and (problem := _plan_problem(world, world.api)):
        return _refused(AcceptedReason.UNKNOWN_PLAN, problem)
    if world.api is not None and (missing := _missing(world, world.api)):
        return _refused(
            AcceptedReason.INCOMPLETE_REQUEST,
            f"The API has {world.api.spec.data_classification} data, so the grant must state {', '.join(missing)}.",
        )
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.TRUE,
        reason=AcceptedReason.ACCEPTED,
        message=f"Application {spec.application.name} of agency {world.agency.name} asks for access.",
    )


def _plan_problem(world: GrantWorld, api: ConectaApi) -> str | None:
    """A plan that has been approved goes on, whatever is asked for instead."""
    approval, plan = world.grant.status.approval, world.grant.spec.plan
    if approval is not None and approval.decision is Decision.APPROVED and approval.terms is not None:
        plan = approval.terms.plan if api.spec.offers(approval.terms.plan) else plan
    offered = [plan.name for plan in api.spec.plans]
    if plan is None and offered:
        return f"spec.plan is missing; the API offers {', '.join(offered)}."
    if plan is not None and not offered:
        return "The API has no plans; remove spec.plan."
    if plan is not None and plan not in offered:
        return f"The API has no plan {plan}; it offers {', '.join(offered)}."
    return None


def _missing(world: GrantWorld, api: ConectaApi) -> list[str]:
    """What has been approved needn't be stated again: a purpose that left the spec is still the one in force."""
    if not api.spec.data_classification.demands_reasons:
        return []
    spec, approval = world.grant.spec, world.grant.status.approval
    terms = approval.terms if approval is not None and approval.terms is not None else spec.terms
    stated = {
        "spec.purpose": spec.purpose or terms.purpose,
        "spec.legalBasis": spec.legal_basis or terms.legal_basis,
        "spec.responsibilityTerm": spec.responsibility_term,
    }
    return [field for field, value in stated.items() if value is None]


def _refused(reason: AcceptedReason, message: str) -> Finding:
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.FALSE,
        reason=reason,
        message=message,
        turn=Turn.AUTHOR,
    )
