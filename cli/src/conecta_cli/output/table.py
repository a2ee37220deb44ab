"""Grants as a table."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from conecta_cli.decisions.grants import approval_condition, condition, decision, instant
from conecta_cli.output.text import aligned
from conecta_operator.api.conditions import ApprovedReason, ConditionType
from conecta_operator.api.objects import Manifest

__all__ = ["age", "grants_table"]

_NONE: Final = "<none>"
_HEADINGS: Final = ("NAME", "API", "APPLICATION", "PLAN", "APPROVAL", "READY", "REASON", "AGE")


def grants_table(grants: Sequence[Manifest], *, with_namespace: bool, now: datetime) -> str:
    """A line for each grant, under headings."""
    rows = [_HEADINGS, *(_row(grant, now) for grant in grants)]
    if with_namespace:
        namespaces = ["NAMESPACE", *(grant["metadata"]["namespace"] for grant in grants)]
        rows = [(namespace, *row) for namespace, row in zip(namespaces, rows, strict=True)]
    return aligned(rows)


def age(since: datetime, now: datetime) -> str:
    """How long ago, as coarse as kubectl says it."""
    passed = max(now - since, timedelta(0))
    for unit, letter in (("days", "d"), ("hours", "h"), ("minutes", "m")):
        whole = passed // timedelta(**{unit: 1})
        if whole >= 2:  # noqa: PLR2004 - as kubectl does: 119s, then 2m
            return f"{whole}{letter}"
    return f"{passed // timedelta(seconds=1)}s"


def _row(grant: Manifest, now: datetime) -> tuple[str, ...]:
    metadata, spec = grant["metadata"], grant["spec"]
    ready = condition(grant, ConditionType.READY) or {}
    return (
        metadata["name"],
        f"{spec['apiRef']['namespace']}/{spec['apiRef']['name']}",
        spec["application"]["name"],
        spec.get("plan") or _NONE,
        _approval(grant),
        ready.get("status", "Unknown"),
        ready.get("reason", _NONE),
        age(instant(metadata["creationTimestamp"]), now),
    )


def _approval(grant: Manifest) -> str:
    """The operator's word (a rule's name, say, or that a change waits); before it has one, that of who decided."""
    stated = approval_condition(grant) or {}
    return str(stated.get("reason") or decision(grant).get("decision") or ApprovedReason.PENDING)
