"""What a provider decides: the patch that writes `status.approval`, where it does what was meant."""

from datetime import datetime

from conecta_cli.decisions.grants import decision, is_for_another_api, shown, terms
from conecta_cli.decisions.patches import replacing
from conecta_cli.errors import NotPossible
from conecta_operator.api.approvals import Decision
from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import Manifest

__all__ = ["approval_patch", "is_undisturbed"]


def approval_patch(grant: Manifest, wanted: Decision, *, by: str, message: str | None, now: datetime) -> Manifest:
    """The patch of the grant's status; empty when somebody has decided the same already. Raises NotPossible."""
    _check(grant, wanted)
    decided = decision(grant)
    approval: Manifest = {"decision": str(wanted), "by": by, "at": timestamp(now)}
    if wanted is Decision.APPROVED:
        approval |= {"terms": terms(grant)}
    if message is not None:
        approval |= {"message": message}
    if _says(decided) == _says(approval) and not is_for_another_api(grant):
        return {}
    return {
        "metadata": {"resourceVersion": grant["metadata"]["resourceVersion"]},
        "status": {"approval": replacing(decided, approval)},
    }


def is_undisturbed(before: Manifest, now: Manifest) -> bool:
    """Whether what somebody decided on is still what is there: the operator may have written the rest of status."""
    same_object = before["metadata"]["uid"] == now["metadata"]["uid"]
    return same_object and before["spec"] == now["spec"] and decision(before) == decision(now)


def _check(grant: Manifest, wanted: Decision) -> None:
    name, is_approved = shown(grant), decision(grant).get("decision") == Decision.APPROVED
    if grant["metadata"].get("deletionTimestamp"):
        raise NotPossible(f"grant {name} is being deleted")
    if wanted is Decision.DENIED and is_approved:
        raise NotPossible(
            f"grant {name} is approved, and denying it would end its access: if that is meant, use revoke; "
            "a change that waits for approval does nothing while you leave it"
        )
    if wanted is Decision.REVOKED and not is_approved and decision(grant).get("decision") != Decision.REVOKED:
        raise NotPossible(
            f"grant {name} is not approved, so there is no access to end: to refuse the request, use deny"
        )


def _says(approval: Manifest) -> Manifest:
    return {field: approval.get(field) for field in ("decision", "rule", "message", "terms")}
