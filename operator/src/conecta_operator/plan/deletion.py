"""How an API goes: not before its grants, or with them when somebody wants that."""

from dataclasses import dataclass
from typing import Final

from conecta_operator.api.conditions import ConditionStatus, ConditionType, ReadyReason
from conecta_operator.api.objects import NAMESPACE, ObjectKey
from conecta_operator.plan.leaving import LIVE_GRANTS_FINALIZER, WITHDRAW_ANNOTATION, is_leaving
from conecta_operator.plan.plans import SetFinalizers, Step
from conecta_operator.plan.summary import Finding, Turn
from conecta_operator.plan.world import ApiWorld

__all__ = ["Deletion", "deletion", "finalizer"]

_NAMED: Final = 10
"""As many grants are named in a message; a provider with more gets the idea."""


@dataclass(frozen=True)
class Deletion:
    """How far the deletion is: what is said of it, and what remains to be done when nothing is served any more."""

    finding: Finding
    goes_on_serving: bool
    last_steps: tuple[Step, ...]


def deletion(world: ApiWorld) -> Deletion | None:
    """The state of an API's deletion; None when it isn't being deleted."""
    if world.api.metadata.deletion_timestamp is None:
        return None
    namespace = world.objects.get(ObjectKey(NAMESPACE, "", world.api.metadata.namespace))
    live = sorted(f"{grant.key.namespace}/{grant.key.name}" for grant in world.grants if grant.has_keys)
    if not live:
        release = (SetFinalizers(()),) if LIVE_GRANTS_FINALIZER in world.api.metadata.finalizers else ()
        return Deletion(_finding("The API is being deleted.", Turn.OPERATOR), goes_on_serving=False, last_steps=release)
    names = ", ".join(live[:_NAMED]) + (f" and {len(live) - _NAMED} more" if len(live) > _NAMED else "")
    if is_leaving(world.api, namespace):
        finding = _finding(f"The API is being deleted; the rights of these grants end first: {names}.", Turn.OPERATOR)
        return Deletion(finding, goes_on_serving=False, last_steps=())
    message = (
        f"Deletion waits for these grants to end: {names}. Revoke them, or annotate the API with "
        f'{WITHDRAW_ANNOTATION}: "true" to end them with it.'
    )
    return Deletion(_finding(message, Turn.DECIDER), goes_on_serving=True, last_steps=())


def finalizer(world: ApiWorld) -> tuple[Step, ...]:
    """What makes deletion wait, if it isn't there."""
    metadata = world.api.metadata
    if metadata.deletion_timestamp is not None or LIVE_GRANTS_FINALIZER in metadata.finalizers:
        return ()
    return (SetFinalizers((LIVE_GRANTS_FINALIZER,)),)


def _finding(message: str, turn: Turn) -> Finding:
    return Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.FALSE,
        reason=ReadyReason.DELETING,
        message=message,
        turn=turn,
    )
