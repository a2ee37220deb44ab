"""Where the outside world knocks: every event of every watch ends here, and becomes keys in the queue.

Called by `handlers` only.
"""

import asyncio
from dataclasses import replace
from typing import Final

from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, ObjectKey, key_of
from conecta_operator.reconcile.landscape import Landscape
from conecta_operator.reconcile.mapping import Change, Happened, concerned, shown_to_grants
from conecta_operator.reconcile.workqueue import Clock, WorkQueue

__all__ = ["Intake"]

_OWN_KINDS: Final = frozenset({CONECTA_API, CONECTA_GRANT})


class Intake:
    """Puts to work whatever a change concerns, and remembers only what tells an echo from news."""

    def __init__(self, *, queue: WorkQueue[ObjectKey], landscape: Landscape, clock: Clock) -> None:
        self._queue = queue
        self._landscape = landscape
        self._clock = clock
        self._shown: dict[ObjectKey, object] = {}
        self.is_open: Final = asyncio.Event()
        """Set by the first change, which comes when all objects are listed: before that nothing must be decided."""
        self.relisted: Final = asyncio.Event()
        """Set when objects of our own kinds were listed, maybe because a watch was interrupted: what was deleted in the
        gap is announced by nobody. Cleared by `resync`, which looks."""
        self.last_change: float | None = None
        """When a watch last said anything, by the clock."""

    def notice(self, change: Change) -> None:
        """Put to work whatever this change concerns."""
        self.last_change = self._clock.time()
        self.is_open.set()
        key = key_of(change.manifest)
        if change.happened is Happened.LISTED and key.kind in _OWN_KINDS:
            self.relisted.set()
        if key.kind == CONECTA_API:
            change = replace(change, is_news_for_grants=self._is_news_for_grants(key, change))
        for concern in concerned(change, self._landscape):
            self._queue.add(concern)

    def _is_news_for_grants(self, key: ObjectKey, change: Change) -> bool:
        if change.happened is Happened.DELETED:
            self._shown.pop(key, None)
            return True
        shown, before = shown_to_grants(change.manifest), self._shown.get(key)
        self._shown[key] = shown
        return shown != before
