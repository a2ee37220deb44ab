"""What an object's status says when a reconcile could not be finished."""

from collections.abc import Sequence
from datetime import datetime

from conecta_operator.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    ReconcilingReason,
    as_manifest,
    merge,
)
from conecta_operator.api.objects import Manifest
from conecta_operator.errors import OperatorError

__all__ = ["interrupted"]


def interrupted(old: Sequence[Condition], *, generation: int, error: Exception, now: datetime) -> Manifest:
    """Status patch: Reconciling with what failed, beside all that was stated before, which still counts.

    An object that has no Ready yet gets one that is False. The text of an error that is not ours may hold anything, so
    it is not repeated.
    """
    message = str(error) if isinstance(error, OperatorError) else "The operator met a bug of its own; its log has more."
    kept = [condition for condition in old if condition.type != ConditionType.STALLED]
    stated = {condition.type: condition for condition in kept}
    reconciling = _condition(ConditionType.RECONCILING, ConditionStatus.TRUE, message, generation)
    unready = _condition(ConditionType.READY, ConditionStatus.FALSE, message, generation)
    known = {ConditionType.READY: unready, **stated, ConditionType.RECONCILING: reconciling}
    return {"conditions": as_manifest(merge(old, known.values(), now))}


def _condition(kind: ConditionType, status: ConditionStatus, message: str, generation: int) -> Condition:
    return Condition(
        type=kind,
        status=status,
        reason=ReconcilingReason.PROGRESSING_WITH_RETRY,
        message=message,
        observed_generation=generation,
    )
