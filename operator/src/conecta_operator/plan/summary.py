"""From findings to conditions: the summary `Ready`, whose turn it is, and since when each is so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from conecta_operator.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    ReadyReason,
    ReconcilingReason,
    StalledReason,
    as_manifest,
    merge,
)
from conecta_operator.api.objects import Manifest

__all__ = ["Finding", "Turn", "conditions", "first_open"]


class Turn(Enum):
    """Whose turn it is when a finding is not True."""

    OPERATOR = "the operator and the gateway are at it"
    AUTHOR = "whoever wrote the object, or one it refers to, has to change it"
    DECIDER = "somebody has to decide; nothing is wrong"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One condition without its history."""

    type: ConditionType
    status: ConditionStatus
    reason: StrEnum
    message: str
    turn: Turn = Turn.OPERATOR

    @property
    def holds(self) -> bool:
        """Whether the condition is True."""
        return self.status is ConditionStatus.TRUE


def first_open(findings: Sequence[Finding]) -> Finding | None:
    """The first finding that is not True: what stands between the object and Ready."""
    return next((finding for finding in findings if not finding.holds), None)


def conditions(
    findings: Sequence[Finding],
    *,
    remarks: Sequence[Finding] = (),
    when_ready: str,
    generation: int,
    old: Sequence[Condition],
    now: datetime,
) -> list[Manifest]:
    """The value of `status.conditions`: the findings, Ready, and Reconciling or Stalled while it is so.

    Remarks are stated, too, but Ready doesn't wait for them.
    """
    obstacle = first_open(findings)
    stated = [*findings, *remarks, _ready(obstacle, when_ready), *_progress(obstacle)]
    return as_manifest(
        merge(
            old,
            [
                Condition(
                    type=finding.type,
                    status=finding.status,
                    reason=finding.reason,
                    message=finding.message,
                    observed_generation=generation,
                )
                for finding in stated
            ],
            now,
        )
    )


def _ready(obstacle: Finding | None, when_ready: str) -> Finding:
    if obstacle is None:
        return Finding(
            type=ConditionType.READY, status=ConditionStatus.TRUE, reason=ReadyReason.READY, message=when_ready
        )
    return Finding(
        type=ConditionType.READY, status=ConditionStatus.FALSE, reason=obstacle.reason, message=obstacle.message
    )


def _progress(obstacle: Finding | None) -> tuple[Finding, ...]:
    if obstacle is None or obstacle.turn is Turn.DECIDER:
        return ()
    needs_change = obstacle.turn is Turn.AUTHOR
    return (
        Finding(
            type=ConditionType.STALLED if needs_change else ConditionType.RECONCILING,
            status=ConditionStatus.TRUE,
            reason=StalledReason.NEEDS_CHANGE if needs_change else ReconcilingReason.PROGRESSING,
            message=obstacle.message,
        ),
    )
