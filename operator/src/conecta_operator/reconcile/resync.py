"""Looks at everything now and then, whatever the watches say.

Covers what no watch announces: what was deleted while a watch was interrupted, and what changed at the issuer. Keys
whose grant is gone are ended.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Final, Protocol

from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, ObjectKey, key_of
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import OperatorError
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.landscape import Landscape
from conecta_operator.reconcile.signing_keys import MAX_AGE, Keys, SigningKeys
from conecta_operator.reconcile.sweep import Sweep
from conecta_operator.reconcile.workqueue import Clock, WorkQueue

__all__ = ["IssuerWatch", "Resync", "Surveyed", "jittered"]

logger = logging.getLogger(__name__)

_JITTER: Final = 0.1
"""Several operators that were started together shall not go on looking together."""
_PER_KEY: Final = timedelta(milliseconds=5)
"""All keys at once would make a change wait behind all of them: 10,000 keys are spread over 50 s, two come at once."""
_SETTLING: Final = timedelta(seconds=1)
"""A relisting comes as one change per object: wait until most have come."""
_AFTER_FAILURE: Final = timedelta(seconds=10)


class Surveyed(Landscape, Protocol):
    """A landscape that can be told what is no longer there."""

    def bury(self, uids: Iterable[str]) -> None:
        """Show these objects no longer: they are gone, and no watch will ever say so."""


@dataclass(kw_only=True)
class Resync:
    """The periodic look at everything."""

    cluster: Cluster
    queue: WorkQueue[ObjectKey]
    landscape: Surveyed
    intake: Intake
    sweep: Sweep
    interval: timedelta
    clock: Clock
    random: Random
    last_success: float | None = field(default=None, init=False)
    """When everything was last looked at, by the clock."""

    async def run(self) -> None:
        """For ever, once the watches have listed all objects."""
        await self.intake.is_open.wait()
        await asyncio.sleep(_SETTLING.total_seconds())
        while True:
            self.intake.relisted.clear()
            try:
                await self.look_at_everything()
            except OperatorError as error:
                logger.warning("no resync: %s", error)
                await asyncio.sleep(_AFTER_FAILURE.total_seconds())
            else:
                await self._pause()

    async def look_at_everything(self) -> None:
        """Put to work all objects that exist and all that the watches believe to exist; end keys without a grant."""
        seen, keys = self._seen(), await self.sweep.keys()
        live = {}
        for kind in (CONECTA_API, CONECTA_GRANT):
            for manifest in await self.cluster.list(kind):
                live[Metadata.parse(manifest).uid] = key_of(manifest)
        self.landscape.bury(seen.keys() - live.keys())
        _spread({*seen.values(), *live.values()}, self.queue, self.random)
        self.last_success = self.clock.time()
        await self.sweep.end_orphans(keys, live.keys())

    def _seen(self) -> dict[str, ObjectKey]:
        apis = {api.metadata.uid: api.key for api in self.landscape.apis()}
        return apis | {grant.uid: grant.key for grant in self.landscape.grants()}

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(jittered(self.interval, self.random).total_seconds()):
                await self.intake.relisted.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_SETTLING.total_seconds())


@dataclass(frozen=True, kw_only=True)
class IssuerWatch:
    """Notices when other keys of the issuer come into use, and when it is back after it was away."""

    signing_keys: SigningKeys
    queue: WorkQueue[ObjectKey]
    landscape: Landscape
    intake: Intake
    random: Random

    async def run(self) -> None:
        """For ever, once the watches have listed all objects."""
        await self.intake.is_open.wait()
        known = await self.signing_keys.current()
        while True:
            await asyncio.sleep(MAX_AGE.total_seconds())
            known = await self.look(known)

    async def look(self, known: Keys) -> Keys:
        """Put to work whatever the present keys concern, compared with what was known."""
        current = await self.signing_keys.current()
        is_back = known.is_issuer_away and not current.is_issuer_away
        if is_back or current.in_use not in {known.in_use, None}:
            self._spread_news(is_back=is_back)
        return current

    def _spread_news(self, *, is_back: bool) -> None:
        keys = {api.key for api in self.landscape.apis()}
        if is_back:
            keys |= {grant.key for grant in self.landscape.grants()}
        _spread(keys, self.queue, self.random)


def jittered(interval: timedelta, random: Random) -> timedelta:
    """The interval, give or take a tenth."""
    return interval * random.uniform(1 - _JITTER, 1 + _JITTER)


def _spread(keys: set[ObjectKey], queue: WorkQueue[ObjectKey], random: Random) -> None:
    within = _PER_KEY * len(keys)
    for key in sorted(keys):
        queue.add_after(key, within * random.random())
