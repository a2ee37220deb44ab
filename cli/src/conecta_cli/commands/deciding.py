"""`approve`, `deny`, `revoke`."""

from typing import Final

from conecta_cli.arguments import Decide
from conecta_cli.commands.desk import Desk
from conecta_cli.decisions.approval import approval_patch, is_undisturbed
from conecta_cli.decisions.grants import condition, key_of_grant, shown
from conecta_cli.errors import Conflict, NotPossible
from conecta_operator.api.approvals import Decision
from conecta_operator.api.conditions import ConditionStatus, ConditionType
from conecta_operator.api.objects import Manifest

__all__ = ["decide"]

_ATTEMPTS: Final = 5


def decide(desk: Desk, command: Decide) -> None:
    """Write the decision in the caller's own name, over what the grant says now."""
    grant = desk.server.get(desk.key(command.grant))
    by = desk.server.user_name()
    word = str(command.decision).lower()
    decided = _write(desk, command, grant, by)
    if decided is None:
        desk.done(grant, f"{word} (no change)")
        return
    desk.done(decided, word)
    accepted = condition(decided, ConditionType.ACCEPTED)
    if command.decision is Decision.APPROVED and accepted and accepted["status"] == ConditionStatus.FALSE:
        desk.remark(f"There is no key yet, because the request can't be accepted: {accepted['message']}")


def _write(desk: Desk, command: Decide, read: Manifest, by: str) -> Manifest | None:
    """The grant with the decision, None if that was made before.

    The operator writes status, too: a conflict with it alone is no reason to bother anybody.
    """
    grant = read
    for _ in range(_ATTEMPTS):
        patch = approval_patch(grant, command.decision, by=by, message=command.message, now=desk.clock())
        if not patch:
            return None
        try:
            return desk.server.patch(key_of_grant(grant), patch, "status")
        except Conflict:
            grant = desk.server.get(key_of_grant(read))
        if not is_undisturbed(read, grant):
            break
    raise NotPossible(f"grant {shown(read)} was changed by somebody else in this moment: look at it, then try again")
