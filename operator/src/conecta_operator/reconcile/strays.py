"""Takes away network policies at the gateway whose API or grant is gone.

They can't be owned across namespaces, so the finalizers of their causes see to them. This is for causes that went
without: finalizers taken off by hand, or a cluster restored from an older copy.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, MANAGED_BY, NETWORK_POLICY, Manifest, key_of
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import OperatorError
from conecta_operator.plan import naming
from conecta_operator.reconcile.resync import jittered

__all__ = ["Strays"]

logger = logging.getLogger(__name__)

_OURS: Final = {"app.kubernetes.io/managed-by": MANAGED_BY}


@dataclass(frozen=True, kw_only=True)
class Strays:
    """The periodic look at one namespace."""

    cluster: Cluster
    namespace: str
    """Of the gateway's pods."""
    interval: timedelta
    random: Random

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(jittered(self.interval, self.random).total_seconds())
            try:
                await self.sweep()
            except OperatorError as error:
                logger.warning("no look at network policies that nobody needs: %s", error)

    async def sweep(self) -> None:
        """Delete the policies whose cause does not exist.

        Policies are read before their causes: a policy that is read has been written for a cause that was there.
        """
        policies = await self.cluster.list(NETWORK_POLICY, namespace=self.namespace, labels=_OURS)
        if not policies:
            return
        causes = {
            Metadata.parse(manifest).uid
            for kind in (CONECTA_API, CONECTA_GRANT)
            for manifest in await self.cluster.list(kind)
        }
        for policy in policies:
            if _is_far(policy) and naming.owner_uid(policy) not in causes:
                logger.info("%s: its cause is gone", key_of(policy))
                await self.cluster.delete(policy)


def _is_far(policy: Manifest) -> bool:
    owner = naming.owner_of_network_policy(key_of(policy))
    return owner is not None and owner.namespace != policy["metadata"]["namespace"]
