"""The issuer's public keys, asked for seldom however many APIs need them."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from conecta_operator.apply.issuer import Issuer
from conecta_operator.errors import IssuerUnavailable
from conecta_operator.reconcile.workqueue import Clock

__all__ = ["MAX_AGE", "SigningKeys"]

logger = logging.getLogger(__name__)

MAX_AGE: Final = timedelta(seconds=10)
"""New keys are published long before they are used, so that ten seconds are soon enough. A failure is kept as long:
many APIs that ask an issuer that is away must not each wait for its timeout."""


class SigningKeys:
    """The keys as of at most ten seconds ago."""

    def __init__(self, *, issuer: Issuer, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._jwks: str | None = None

    async def current(self) -> str | None:
        """The JWKS as the issuer's adapter yields it; None while the issuer is away."""
        async with self._asking:
            if self._asked_at is None or self._clock.time() - self._asked_at >= MAX_AGE.total_seconds():
                self._jwks = await self._ask()
                self._asked_at = self._clock.time()
            return self._jwks

    async def _ask(self) -> str | None:
        try:
            return await self._issuer.jwks()
        except IssuerUnavailable as error:
            logger.warning("the issuer's keys can't be read: %s", error)
            return None
