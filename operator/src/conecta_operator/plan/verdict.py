"""What the gateway itself says of the objects that were written for an API.

Gateway API policies and routes carry one status entry for each Gateway that they reach (GEP-713, GEP-1364), with
conditions for the generation that the gateway has seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from conecta_operator.api.objects import (
    BACKEND,
    CONFIG_MAP,
    HTTP_ROUTE,
    HTTP_ROUTE_FILTER,
    NETWORK_POLICY,
    Manifest,
    key_of,
)
from conecta_operator.api.settings import Platform

__all__ = ["SILENT", "Answer", "Verdict", "verdict", "written_at"]

SILENT: Final = {CONFIG_MAP, HTTP_ROUTE_FILTER, NETWORK_POLICY}
"""Kinds that have no status: what is wrong with such an object is said at the route that uses it."""
_REQUIRED_OF_ROUTES: Final = ("Accepted", "ResolvedRefs")
_REQUIRED_OF_POLICIES: Final = ("Accepted",)


class Answer(Enum):
    """Whether the gateway does what we wrote."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True)
class Verdict:
    """The gateway's answer, and for a refusal what it says and of which object."""

    answer: Answer
    message: str = ""


def verdict(written: Iterable[Manifest], platform: Platform) -> Verdict:
    """The answer for all the objects together: a refusal counts most, then what is still pending."""
    verdicts = [_verdict_of(manifest, platform) for manifest in written if key_of(manifest).kind not in SILENT]
    for answer in (Answer.REFUSED, Answer.PENDING):
        for found in verdicts:
            if found.answer is answer:
                return found
    return Verdict(Answer.ACCEPTED)


def written_at(manifest: Manifest) -> datetime | None:
    """When somebody last changed the object, apart from what the gateway says of it."""
    writes = manifest["metadata"].get("managedFields") or []
    times = (write.get("time") for write in writes if write.get("subresource") != "status")
    return max((datetime.fromisoformat(time) for time in times if time), default=None)


def _verdict_of(manifest: Manifest, platform: Platform) -> Verdict:
    kind = key_of(manifest).kind
    if kind == BACKEND:
        return _judge(manifest, _conditions(manifest.get("status", {})), _REQUIRED_OF_POLICIES)
    if kind == HTTP_ROUTE:
        entries = [entry for entry in _entries(manifest, "parents", "parentRef") if _is_ours(entry[0], platform)]
        return _judge_entries(manifest, entries, _REQUIRED_OF_ROUTES)
    return _judge_entries(manifest, _entries(manifest, "ancestors", "ancestorRef"), _REQUIRED_OF_POLICIES)


def _entries(manifest: Manifest, field: str, reference: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    entries = manifest.get("status", {}).get(field) or []
    return [(entry[reference], entry.get("conditions") or []) for entry in entries]


def _conditions(status: dict[str, Any]) -> list[dict[str, Any]]:
    return status.get("conditions") or []


def _is_ours(reference: dict[str, Any], platform: Platform) -> bool:
    return (reference.get("namespace"), reference.get("name"), reference.get("sectionName")) == (
        platform.gateway_namespace,
        platform.gateway_name,
        platform.gateway_listener,
    )


def _judge_entries(
    manifest: Manifest, entries: list[tuple[dict[str, Any], list[dict[str, Any]]]], required: tuple[str, ...]
) -> Verdict:
    if not entries:
        return Verdict(Answer.PENDING)
    return _judge(manifest, [condition for _, conditions in entries for condition in conditions], required)


def _judge(manifest: Manifest, conditions: list[dict[str, Any]], required: tuple[str, ...]) -> Verdict:
    generation = manifest["metadata"].get("generation")
    current = [condition for condition in conditions if condition.get("observedGeneration") == generation]
    for condition in current:
        if condition["type"] in required and condition["status"] == "False":
            return Verdict(Answer.REFUSED, f"{manifest['kind']}: {condition.get('reason')}: {condition.get('message')}")
    said = {condition["type"] for condition in current if condition["status"] == "True"}
    return Verdict(Answer.ACCEPTED if said.issuperset(required) else Answer.PENDING)
