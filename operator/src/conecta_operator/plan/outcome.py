"""What an object's status says when a reconcile could not be finished."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from conecta_operator.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    ReconcilingReason,
    as_manifest,
    merge,
)
from conecta_operator.api.objects import Manifest
from conecta_operator.errors import Conflict, IssuerUnavailable, Rejected, TransientError

__all__ = ["interrupted"]

_FOR_TENANTS: Final = (
    (IssuerUnavailable, "The token issuer is away; the operator tries again by itself."),
    (Conflict, "Somebody else changes the same objects at the same time; the operator tries again by itself."),
    (TransientError, "The Kubernetes API did not answer as it should; the operator tries again by itself."),
    (Rejected, "What the operator wrote was refused; ask the platform team, whose log says why."),
)
_BUG: Final = "The operator met a bug of its own; ask the platform team, whose log says more."


def interrupted(old: Sequence[Condition], *, generation: int, error: Exception, now: datetime) -> Manifest:
    """Status patch: Reconciling with what failed, beside all that was stated before, which still counts.

    An object that has no Ready yet gets one that is False. The error's own text is for the log: it names addresses of
    the platform that are no tenant's business.
    """
    message = next((text for kind, text in _FOR_TENANTS if isinstance(error, kind)), _BUG)
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
