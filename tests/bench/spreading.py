"""How long a change takes to reach the gateway: from the API server's answer to the first call that feels it."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.bench.estate import Estate, Part
from tests.support.traffic import traffic
from tests.support.users import done

__all__ = ["Spreading"]

LIMIT: Final = 60
"""Seconds that one trial may take; all that is beyond is a failure of the run."""
LONGEST_PAUSE: Final = 0.3
"""Between trials there is a random pause up to this, lest they fall into step with anything that is periodic."""
_GAP: Final = 0.003
"""Between two looks."""
_ELSEWHERE: Final = ["203.0.113.0/24"]


@dataclass(frozen=True)
class Spreading:
    """Changes of an API that is called meanwhile, and of those beside it."""

    layout: Layout
    estate: Estate
    trials: int

    def suspended(self, api: str) -> list[float]:
        """A grant is suspended → its token gets 403. The grant has its API's name."""
        grant = self.estate.grant(api, api)
        return asyncio.run(self._refused(api, grant, {"suspended": True}, {"suspended": False}))

    def excluded(self, api: str, ranges: list[str]) -> list[float]:
        """The API is opened to other addresses only → its callers get 403."""
        manifest = self.estate.api(api)
        return asyncio.run(self._refused(api, manifest, {"sourceRanges": _ELSEWHERE}, {"sourceRanges": ranges}))

    def opened(self, *parts: Part) -> tuple[list[float], list[float]]:
        """A new API is there → it asks for a token; a grant on it is there → its first call with a token is served."""
        asking, serving = [], []
        for index in range(self.trials):
            name = f"nova-{index:04}"
            written = self._create(self.estate.api(name, *parts))
            self._create(self.estate.grant(name, name, *parts))
            asking.append(self._until(name, partial(self._answers, name, 401)) - written)
            serving.append(self._until(name, partial(self._is_served, name)) - written)
            self._remove(name)
        return asking, serving

    async def _refused(self, api: str, manifest: Manifest, stop: Manifest, resume: Manifest) -> list[float]:
        found = []
        token = await asyncio.to_thread(self.estate.token, api)
        async with traffic(self.layout, f"/api-{api}/v1/", token) as calls:
            for _ in range(self.trials):
                await asyncio.sleep(random.uniform(0.1, LONGEST_PAUSE))  # noqa: S311 - no secret
                found.append(await calls.until_refused(await self._patch(manifest, stop), LIMIT))
                await self._patch(manifest, resume)
                await calls.until(lambda seen: all(call.status == 200 for call in seen.calls[-8:]), LIMIT)
        return found

    async def _patch(self, manifest: Manifest, spec: Manifest) -> float:
        done(await asyncio.to_thread(self.estate.user.patch, manifest, {"spec": spec}, for_good=True))
        return time.monotonic()

    def _create(self, manifest: Manifest) -> float:
        done(self.estate.user.create(manifest, for_good=True))
        return time.monotonic()

    def _answers(self, name: str, status: int, headers: dict[str, str] | None = None) -> bool:
        return self._status(name, headers) == status

    def _is_served(self, name: str) -> bool:
        if not self.estate.has_key(name):
            return False
        headers = self.estate.headers(self.estate.token(name))
        return self._until(name, partial(self._answers, name, 200, headers)) > 0

    def _status(self, name: str, headers: dict[str, str] | None = None) -> int:
        return self.estate.gateway.request("GET", f"/api-{name}/v1/", headers=headers).status

    def _remove(self, name: str) -> None:
        for manifest, plural in (
            (self.estate.grant(name, name), "conectagrants"),
            (self.estate.api(name), "conectaapis"),
        ):
            self.estate.remove(manifest, plural)
        self._until(name, partial(self._answers, name, 404))

    def _until(self, name: str, holds: Callable[[], bool]) -> float:
        """Yields when it began to hold, as far as looking often can tell."""
        deadline = time.monotonic() + LIMIT
        while not holds():
            assert time.monotonic() < deadline, f"after {LIMIT} s {name} answers {self._status(name)}"
            time.sleep(_GAP)
        return time.monotonic()
