"""Sees what happens to Secrets where there are grants, and nowhere else, so that a lost key is made anew at once.

Kopf would watch them in all namespaces, for which one must be allowed to read every Secret of the cluster. This asks
for each agency's namespace by itself, where the platform has given the right, and for metadata only (docs/adr/0012).
"""

import asyncio
import logging
from dataclasses import dataclass
from random import Random
from typing import Final

from conecta_operator.api.objects import MANAGED_BY, ROLE_BINDING, SECRET, ObjectKey
from conecta_operator.apply.cluster import WatchableCluster
from conecta_operator.errors import OperatorError
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.landscape import Landscape
from conecta_operator.reconcile.mapping import Change, Happened
from conecta_operator.reconcile.workqueue import WorkQueue

__all__ = ["SecretsWatch"]

logger = logging.getLogger(__name__)

_BINDING: Final = MANAGED_BY
"""The RoleBinding by which the platform lets the operator watch an agency's Secrets (`infra/tenancy.py`)."""
_BETWEEN_LOOKS: Final = 1.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_JITTER: Final = 0.2
"""When the API server is back, not all namespaces shall be asked for at the same moment."""


@dataclass(frozen=True, kw_only=True)
class SecretsWatch:
    """One watch for each namespace in which there is a grant."""

    cluster: WatchableCluster
    queue: WorkQueue[ObjectKey]
    landscape: Landscape
    intake: Intake
    random: Random

    async def run(self) -> None:
        """For ever, once the watches of kopf have listed all objects."""
        await self.intake.is_open.wait()
        watches: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                wanted = {grant.key.namespace for grant in self.landscape.grants()}
                for namespace in wanted - watches.keys():
                    watches[namespace] = group.create_task(self._follow(namespace))
                for namespace in watches.keys() - wanted:
                    watches.pop(namespace).cancel()
                await asyncio.sleep(_BETWEEN_LOOKS)

    async def _follow(self, namespace: str) -> None:
        """Whatever was missed while there was no watch is made up for: each grant of the namespace is looked at.

        So it is, at every attempt, where there is no right to watch: a namespace that was made an agency's by hand.
        """
        clock, pause = asyncio.get_running_loop(), _FIRST_PAUSE
        while True:
            begun = clock.time()
            try:
                await self._watch(namespace)
            except OperatorError as error:
                logger.warning("Secrets in %s are not watched: %s", namespace, error)
            if clock.time() - begun > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause * self.random.uniform(1 - _JITTER, 1 + _JITTER))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _watch(self, namespace: str) -> None:
        is_let = await self.cluster.get(ObjectKey(ROLE_BINDING, namespace, _BINDING)) is not None
        since = await self.cluster.version(SECRET, namespace=namespace) if is_let else None
        for grant in self.landscape.grants_in(namespace):
            self.queue.add(grant.key)
        if since is None:
            logger.info("no right to watch Secrets in %s: its grants are looked at now and then", namespace)
            return
        async for happened, manifest in self.cluster.changes(SECRET, namespace=namespace, since=since):
            self.intake.notice(Change(Happened(happened), manifest))
