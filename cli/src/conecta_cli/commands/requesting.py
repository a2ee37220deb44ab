"""`suspend`, `resume`, `rotate`."""

from datetime import timedelta
from typing import Final

from conecta_cli.arguments import Rotate, Suspend
from conecta_cli.commands.desk import Desk
from conecta_cli.decisions.grants import shown
from conecta_cli.decisions.links import secret_name
from conecta_cli.decisions.request import Rotation, is_replaced, restoration, rotation, suspension
from conecta_cli.errors import CliError, Conflict, NotPossible
from conecta_operator.api.objects import Manifest, ObjectKey

__all__ = ["rotate", "suspend"]

_ATTEMPTS: Final = 5
_BETWEEN_LOOKS: Final = 0.5


def suspend(desk: Desk, command: Suspend) -> None:
    """Stop access, or let it go on."""
    key = desk.key(command.grant)
    grant = desk.server.get(key)
    word = "suspended" if command.suspended else "resumed"
    patch = suspension(grant, suspended=command.suspended)
    if patch:
        desk.done(desk.server.patch(key, patch), word)
    else:
        desk.done(grant, f"{word} (no change)")


def rotate(desk: Desk, command: Rotate) -> None:
    """Have the key replaced, and with --now see to it that no old one works any longer.

    Only this one replacement is to be without overlap: later ones on schedule would cut the application off.
    """
    key = desk.key(command.grant)
    asked, wanted = _raise_serial(desk, key, now=command.now)
    if not command.now:
        desk.done(asked, f"rotation requested (serial {wanted.serial})")
        return
    try:
        replaced = _wait(desk, key, wanted, timedelta(seconds=command.timeout))
        settled = _restore(desk, key, wanted) or replaced
    except KeyboardInterrupt:
        raise NotPossible(f"interrupted. {_left_to_do(asked, wanted)}") from None
    except CliError as error:
        raise NotPossible(f"{error}. {_left_to_do(asked, wanted)}") from None
    desk.done(settled, f"rotated: the new key is in Secret {secret_name(settled)}, old ones are refused")


def _raise_serial(desk: Desk, key: ObjectKey, *, now: bool) -> tuple[Manifest, Rotation]:
    for _ in range(_ATTEMPTS):
        wanted = rotation(desk.server.get(key), now=now)
        try:
            return desk.server.patch(key, wanted.patch), wanted
        except Conflict:
            continue
    raise _too_busy(key)


def _wait(desk: Desk, key: ObjectKey, wanted: Rotation, patience: timedelta) -> Manifest:
    deadline = desk.clock() + patience
    while True:
        grant = desk.server.get(key)
        if is_replaced(grant, wanted):
            return grant
        if desk.clock() >= deadline:
            raise NotPossible(f"the old key may still work after {patience // timedelta(seconds=1)} s")
        desk.sleep(_BETWEEN_LOOKS)


def _restore(desk: Desk, key: ObjectKey, wanted: Rotation) -> Manifest | None:
    for _ in range(_ATTEMPTS):
        patch = restoration(desk.server.get(key), wanted)
        if not patch:
            return None
        try:
            return desk.server.patch(key, patch)
        except Conflict:
            continue
    raise _too_busy(key)


def _left_to_do(grant: Manifest, wanted: Rotation) -> str:
    name, before = shown(grant), wanted.overlap or "72h"
    return (
        f"The replacement is requested (serial {wanted.serial}) and goes on: see kubectl conecta why {name}. "
        f"spec.credential.overlap is 0s; once the old key is gone from status.keys, set it to {before} again"
    )


def _too_busy(key: ObjectKey) -> NotPossible:
    return NotPossible(f"grant {key.namespace}/{key.name} is changed by others all the time: try again")
