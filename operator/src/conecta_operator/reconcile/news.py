"""What deserves a Kubernetes Event: events when something happens, none when nothing does. Pure."""

from dataclasses import dataclass
from typing import Any

from conecta_operator.api.conditions import ConditionStatus, ConditionType
from conecta_operator.api.objects import Manifest

__all__ = ["News", "news"]


@dataclass(frozen=True)
class News:
    """One Event. `type_` is Normal or Warning."""

    type_: str
    reason: str
    message: str


def news(before: Manifest, after: Manifest) -> News | None:
    """What happened to an object between two of its statuses; None when nothing did.

    `Ready` tells it all: its reason is that of whatever stands in the way, so that for instance an API that turns
    Conflicted is news. It is a Warning when somebody has to change something.
    """
    old, new = _conditions(before), _conditions(after)
    ready = new.get(ConditionType.READY)
    if ready is None or _essence(ready) == _essence(old.get(ConditionType.READY)):
        return None
    needs_somebody = ready["status"] != ConditionStatus.TRUE and ConditionType.STALLED in new
    return News("Warning" if needs_somebody else "Normal", ready["reason"], ready["message"])


def _conditions(status: Manifest) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _essence(condition: dict[str, Any] | None) -> tuple[str, str] | None:
    return (condition["status"], condition["reason"]) if condition is not None else None
