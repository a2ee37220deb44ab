"""The issuer's public keys, asked for seldom however many APIs need them, and brought into use without a gap."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from conecta_operator.api.objects import CONFIG_MAP, MANAGED_BY, Manifest, ObjectKey, key_of
from conecta_operator.api.settings import Platform
from conecta_operator.apply.cluster import Cluster
from conecta_operator.apply.issuer import Issuer
from conecta_operator.errors import IssuerUnavailable, OperatorError
from conecta_operator.plan import keepers
from conecta_operator.plan.keepers import KeysWorld
from conecta_operator.plan.plans import WriteObject
from conecta_operator.reconcile.landscape import Landscape
from conecta_operator.reconcile.workqueue import Clock
from conecta_operator.render.forms import Forms

__all__ = ["MAX_AGE", "Keys", "SigningKeys"]

logger = logging.getLogger(__name__)

MAX_AGE: Final = timedelta(seconds=10)
"""New keys are published long before they are used, so that ten seconds are soon enough. A failure is kept as long:
many APIs that ask an issuer that is away must not each wait for its timeout."""
PATIENCE: Final = timedelta(minutes=5)
"""With namespaces that don't take over the keys in use. One that can't (its provider has forbidden writes to the copy,
say) must not keep new keys from all others."""


@dataclass(frozen=True)
class Keys:
    """What is known of the issuer's keys."""

    in_use: str | None
    """The JWKS that routes are to verify tokens with; None when nobody can tell yet."""
    is_issuer_away: bool


class SigningKeys:
    """The keys as of at most ten seconds ago. Whoever asks takes new ones a step further; `plan.keepers` says which."""

    def __init__(
        self,
        *,
        issuer: Issuer,
        cluster: Cluster,
        landscape: Landscape,
        platform: Platform,
        forms: Forms,
        clock: Clock,
        now: Callable[[], datetime],
    ) -> None:
        self._issuer = issuer
        self._cluster = cluster
        self._landscape = landscape
        self._platform = platform
        self._forms = forms
        self._clock = clock
        self._now = now
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._waiting_since: float | None = None
        self._keys = Keys(in_use=None, is_issuer_away=True)

    async def current(self) -> Keys:
        """The keys, maybe some seconds old."""
        async with self._asking:
            if self._asked_at is None or self._clock.time() - self._asked_at >= MAX_AGE.total_seconds():
                self._keys = await self._ask()
                self._asked_at = self._clock.time()
            return self._keys

    async def _ask(self) -> Keys:
        published = await self._published()
        try:
            in_use = await self._bring_into_use(published)
        except OperatorError as error:
            logger.warning("the keepers of the issuer's keys can't be seen to: %s", error)
            in_use = self._keys.in_use
        return Keys(in_use, is_issuer_away=published is None)

    async def _published(self) -> str | None:
        try:
            return await self._issuer.jwks()
        except IssuerUnavailable as error:
            logger.warning("the issuer's keys can't be read: %s", error)
            return None

    async def _bring_into_use(self, published: str | None) -> str | None:
        objects = await self._objects()
        world = KeysWorld(
            published=published,
            objects=objects,
            is_spare_needed=await self._is_spare_needed(objects, published),
            platform=self._platform,
            now=self._now(),
        )
        plan = keepers.desired(world, self._forms)
        for step in plan.steps:
            await self._write(step)
        return plan.in_use

    async def _objects(self) -> dict[ObjectKey, Manifest]:
        keys = keepers.objects_of_keepers(self._platform)
        found = [await self._cluster.get(key) for key in keys]
        return {key: manifest for key, manifest in zip(keys, found, strict=True) if manifest is not None}

    async def _is_spare_needed(self, objects: dict[ObjectKey, Manifest], published: str | None) -> bool:
        """Whether new keys have to wait for namespaces that go on with those of before, and may still wait."""
        late: tuple[str, ...] = ()
        if published is not None and keepers.takes_the_spare(objects, published):
            copies = await self._cluster.list(CONFIG_MAP, labels={"app.kubernetes.io/managed-by": MANAGED_BY})
            namespaces = keepers.served_namespaces(self._landscape.apis())
            late = keepers.late(copies, namespaces, keepers.jwks_in_use(objects), self._now())
        if not late:
            self._waiting_since = None
            return False
        if self._waiting_since is None:
            self._waiting_since = self._clock.time()
        if self._clock.time() - self._waiting_since < PATIENCE.total_seconds():
            return True
        logger.warning("the issuer's new keys wait no longer for %s", ", ".join(late))
        return False

    async def _write(self, step: WriteObject) -> None:
        logger.info("the issuer's keys: write %s", key_of(step.manifest))
        if step.over is None:
            await self._cluster.create(step.manifest)
        else:
            await self._cluster.replace(step.manifest)
