"""Sees to it that the issuer has no key without a grant: such a key would be alive for ever, and nobody's.

Called by `resync`, which has all grants at hand. Only what is an orphan at two looks is ended, each of them at a
complete and fresh list of all grants, taken after that of the keys. Clients that others made at the issuer are never
looked at. The issuer serves one platform only: another one's grants would not be among those that are listed here.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from conecta_operator.api.keys import Key
from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import CONECTA_GRANT
from conecta_operator.api.settings import Platform
from conecta_operator.apply.cluster import Cluster
from conecta_operator.apply.issuer import Issuer
from conecta_operator.errors import OperatorError
from conecta_operator.plan import naming
from conecta_operator.plan.orphans import end_of, orphans
from conecta_operator.reconcile.gather import now
from conecta_operator.reconcile.steps import Steps

__all__ = ["Sweep"]

logger = logging.getLogger(__name__)

_BETWEEN_LOOKS: Final = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Finds keys without a grant, and ends them."""

    cluster: Cluster
    issuer: Issuer
    steps: Steps
    platform: Platform
    now: Callable[[], datetime] = field(default=now)

    async def keys(self) -> tuple[Key, ...]:
        """All keys; none while the issuer is away, since nothing can be ended then."""
        try:
            return await self.issuer.all_keys()
        except OperatorError as error:
            logger.warning("no look for keys without a grant: %s", error)
            return ()

    async def end_orphans(self, keys: Collection[Key], grants: Collection[str]) -> None:
        """End those of the keys that belong to none of the grants (uids), if a second look says so, too.

        Raises what `Cluster.list` raises: what is not known for sure is left alone.
        """
        suspects = {key.client_id for key in orphans(keys, grants)}
        if not suspects:
            return
        await asyncio.sleep(_BETWEEN_LOOKS.total_seconds())
        again = await self.keys()
        living = {Metadata.parse(grant).uid for grant in await self.cluster.list(CONECTA_GRANT)}
        for key in orphans(again, living):
            if key.client_id in suspects:
                await self._end(key)

    async def _end(self, key: Key) -> None:
        logger.warning("grant %s (%s) does not exist, so its key %s is ended", key.grant, key.grant_uid, key.client_id)
        try:
            await self._take_steps(key)
        except OperatorError as error:
            logger.warning("key %s is not ended yet: %s", key.client_id, error)

    async def _take_steps(self, key: Key) -> None:
        named = naming.api_named_by(key.scopes)
        api = await self.cluster.get(named) if named is not None else None
        for step in end_of(key, api, self.platform, self.now()):
            await self.steps.take(step)
