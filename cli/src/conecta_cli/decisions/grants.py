"""What a grant says, read from plain JSON: an older plugin must not fail on the fields of a newer cluster."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from conecta_operator.api.approvals import Decision
from conecta_operator.api.conditions import ApprovedReason, ConditionStatus, ConditionType
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Manifest, ObjectKey

__all__ = [
    "api_key",
    "approval_condition",
    "changed_terms",
    "condition",
    "decision",
    "instant",
    "is_for_another_api",
    "key_of_grant",
    "keys",
    "shown",
    "terms",
    "waits_for_decision",
]

_ECHOES: Final[Mapping[str, str | None]] = {
    ApprovedReason.PENDING: None,
    ApprovedReason.APPROVED: Decision.APPROVED,
    ApprovedReason.AUTOMATIC: Decision.APPROVED,
    ApprovedReason.PREAPPROVED: Decision.APPROVED,
    ApprovedReason.CHANGE_PENDING: Decision.APPROVED,
    ApprovedReason.DENIED: Decision.DENIED,
    ApprovedReason.REVOKED: Decision.REVOKED,
    ApprovedReason.WITHDRAWN: Decision.REVOKED,
}
"""Reasons of Approved that say what the decision is. The others come from elsewhere, whatever was decided."""

_TERMS_OF_SPEC: Final = ("plan", "purpose", "legalBasis", "sourceRanges", "validUntil")


def shown(manifest: Manifest) -> str:
    """Namespace and name, as they are typed."""
    return f"{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"


def key_of_grant(grant: Manifest) -> ObjectKey:
    """Where the grant is."""
    return ObjectKey(CONECTA_GRANT, grant["metadata"]["namespace"], grant["metadata"]["name"])


def api_key(grant: Manifest) -> ObjectKey:
    """Where its API is."""
    reference = grant["spec"]["apiRef"]
    return ObjectKey(CONECTA_API, reference["namespace"], reference["name"])


def condition(manifest: Manifest, type_: str) -> dict[str, Any] | None:
    """What the operator says about the object as it is now; None when it has not said anything yet."""
    generation = manifest["metadata"].get("generation", 0)
    for stated in (manifest.get("status") or {}).get("conditions") or []:
        if stated["type"] == type_ and stated.get("observedGeneration", 0) >= generation:
            return dict(stated)
    return None


def approval_condition(grant: Manifest) -> dict[str, Any] | None:
    """What the operator says about the decision that there is now; None while it has only spoken of an earlier one."""
    stated = condition(grant, ConditionType.APPROVED)
    decided = decision(grant).get("decision")
    is_outdated = stated is not None and _ECHOES.get(stated["reason"], decided) != decided
    return None if is_outdated and not is_for_another_api(grant) else stated


def is_for_another_api(grant: Manifest) -> bool:
    """Whether the operator says of the approval that there is that it was for an API which has been deleted since."""
    stated, decided = condition(grant, ConditionType.APPROVED) or {}, decision(grant)
    seen = (grant.get("status") or {}).get("approvalSeen")
    return (
        seen is not None
        and (stated.get("status"), stated.get("reason")) == (ConditionStatus.FALSE, ApprovedReason.PENDING)
        and (seen["by"], instant(seen["at"])) == (decided.get("by"), instant(decided["at"]))
    )


def keys(grant: Manifest) -> list[dict[str, Any]]:
    """The keys that work, oldest first."""
    return list((grant.get("status") or {}).get("keys") or [])


def decision(grant: Manifest) -> dict[str, Any]:
    """`status.approval`; empty when nobody has decided."""
    return dict((grant.get("status") or {}).get("approval") or {})


def terms(grant: Manifest) -> Manifest:
    """What the spec asks for now, in the form and the very words in which it is approved."""
    spec = grant["spec"]
    wanted = {field: spec[field] for field in _TERMS_OF_SPEC if field in spec}
    return wanted | {"application": spec["application"]["name"]}


def changed_terms(grant: Manifest) -> list[str]:
    """The terms that an approved grant has and that its spec wants otherwise."""
    approved, wanted = (decision(grant).get("terms") or {}), terms(grant)
    fields = sorted(approved.keys() | wanted.keys())
    return [field for field in fields if _meaning(field, approved) != _meaning(field, wanted)]


def waits_for_decision(grant: Manifest) -> bool:
    """Whether somebody has to decide: over the request, or over a change of what was approved."""
    decided = decision(grant)
    if not decided or is_for_another_api(grant):
        return True
    by_somebody = decided["decision"] == Decision.APPROVED and "rule" not in decided
    return by_somebody and bool(changed_terms(grant))


def instant(text: str) -> datetime:
    """A date and time of an object."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _meaning(field: str, among: Manifest) -> object:
    value = among.get(field)
    if field == "validUntil" and value is not None:
        return instant(value)
    return value or None
