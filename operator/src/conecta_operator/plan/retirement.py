"""What becomes of a grant's older keys: they go on for the overlap, then end; without one they are refused first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from conecta_operator.api.conecta_grant import MOST_ENDED_KEYS
from conecta_operator.api.keys import Key
from conecta_operator.plan.plans import PutKey, RemoveKey, Step
from conecta_operator.plan.revocation import deny
from conecta_operator.plan.world import GrantWorld

__all__ = ["Retirement", "retirement"]

_MOST_RETIRING: Final = 10
"""Whoever has keys replaced again and again holds no more old ones than these."""


@dataclass(frozen=True)
class Retirement:
    """The next steps, which of the older keys are left after them, and whether no more is to be done now."""

    steps: tuple[Step, ...]
    keys: tuple[Key, ...]
    is_settled: bool


def retirement(world: GrantWorld, older: Sequence[Key], scopes: tuple[str, ...]) -> Retirement:
    """What ends or retires all keys but the current one, and lets those that go on do what that one may.

    With no overlap, any of them may have leaked, also one that retires already: their tokens are refused before the
    clients go, so that none outlives them. A key whose overlap is over has been given up by its application: it just
    goes, and is remembered in status; for those that find no room there, tokens are refused, too.
    """
    overlap = _overlap(world)
    leaked = [*older] if overlap == timedelta(0) else []
    retiring = [(key, key.retires_at or world.now + overlap) for key in older if key not in leaked]
    lasting = [(key, end) for key, end in retiring if end > world.now][-_MOST_RETIRING:]
    kept = tuple(replace(key, scopes=scopes, retires_at=end, suspended=False) for key, end in lasting)
    over = [key for key, _ in retiring if key.client_id not in {stays.client_id for stays in kept}]
    room = max(0, MOST_ENDED_KEYS - len(world.grant.status.ended_keys))
    refused = leaked + over[room:]
    denial = deny(world, [key.client_id for key in refused])
    ended = over[:room] + (refused if denial.is_in_force else [])
    ending = tuple(_silenced(key, world.now) for key in ([] if denial.is_in_force else refused))
    steps = (*denial.steps, *(RemoveKey(key.client_id) for key in ended), *_changed(older, (*ending, *kept)))
    return Retirement(steps, (*ending, *kept), is_settled=denial.is_in_force)


def _silenced(key: Key, now: datetime) -> Key:
    """A key that gets no more tokens, and is said to be there until those that it has are refused."""
    return replace(key, retires_at=min(key.retires_at or now, now), suspended=True)


def _overlap(world: GrantWorld) -> timedelta:
    """No longer than until the next rotation, or old keys would pile up."""
    wanted = world.grant.spec.credential
    return min(wanted.overlap, wanted.rotate_every) if wanted.rotates else wanted.overlap


def _changed(before: Iterable[Key], after: Iterable[Key]) -> Iterable[PutKey]:
    known = set(before)
    return (PutKey(key, None) for key in after if key not in known)
