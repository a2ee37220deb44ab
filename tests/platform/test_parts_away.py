"""Whoever has a token is served while all other parts of the platform are away, and nobody else is.

Envoy Gateway goes last: Envoy has its configuration from there, and one that starts without it has none.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from sandbox.layout import Layout
from sandbox.processes import Processes
from sandbox.services import services
from tests.support.application import Gateway
from tests.support.callers import NO_ANSWER, Caller, bearer, calling
from tests.support.kubectl import agency_namespace, eventually, find
from tests.support.right import Right

pytestmark = pytest.mark.usefixtures("platform")

AWAY: Final = float(os.environ.get("CONECTA_TEST_AWAY", "60"))
"""Seconds."""
CALLS_A_SECOND: Final = 100
_BEFORE_AND_AFTER: Final = 2.0
_ENVOY_STARTS: Final = 5.0
"""Seconds within which Envoy is to serve again."""


@pytest.fixture(scope="module")
def right(gateway: Gateway) -> Iterator[Right]:
    with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
        yield Right(gateway, provider, receiver)


@pytest.fixture(scope="module")
def strangers(gateway: Gateway, right: Right) -> list[Caller]:
    """Nobody, somebody with a right to another API, and somebody whose right has been taken away."""
    former = Right(gateway, right.provider, right.receiver)
    token = former.application.token()
    former.change({"spec": {"suspended": True}})
    eventually(lambda: former.says("Ready") == "Suspended")
    return [Caller(right.path, {}, 5), Caller(right.path, bearer(token), 5), Caller(former.path, bearer(token), 5)]


async def test_calls_need_nothing_of_the_platform_but_envoy(
    platform: Layout, right: Right, strangers: list[Caller]
) -> None:
    """Not even when Envoy starts anew meanwhile. The calls that come while there is no Envoy find no door."""
    admitted = Caller(right.path, bearer(right.application.token()), CALLS_A_SECOND)
    parts = _Parts(platform)
    async with calling(platform, admitted, *strangers):
        begun = time.monotonic()
        await asyncio.sleep(_BEFORE_AND_AFTER)
        try:
            await parts.stop("operator", "hydra", "kube-apiserver")
            restart = time.monotonic()
            await parts.stop("envoy")
            await parts.start("envoy")
            await asyncio.sleep(_ENVOY_STARTS)
            await parts.stop("envoy-gateway")
            await asyncio.sleep(AWAY)
        finally:
            await parts.start("kube-apiserver", "hydra", "envoy-gateway", "operator")
        await asyncio.sleep(_BEFORE_AND_AFTER)
        over = time.monotonic()
    assert admitted.statuses(begun, restart) == {200}
    assert admitted.statuses(restart, restart + _ENVOY_STARTS) <= {200, NO_ANSWER}
    assert admitted.statuses(restart + _ENVOY_STARTS, over) == {200}
    assert _answers_to(strangers, begun, restart) == [{401}, {403}, {403}]
    assert _answers_to(strangers, restart + _ENVOY_STARTS, over) == [{401}, {403}, {403}]
    assert not any(caller.statuses(begun, over) & set(range(200, 400)) for caller in strangers)
    right.wait_until_it_holds()
    _wait_for_the_controllers()


def _wait_for_the_controllers() -> None:
    """They look for a lost API server every half minute; what comes next has its namespaces furnished by them."""
    with agency_namespace("depois") as name:
        eventually(lambda: find("configmap", name, "kube-root-ca.crt"), seconds=60)


def _answers_to(callers: Sequence[Caller], since: float, until: float) -> list[set[int]]:
    return [caller.statuses(since, until) for caller in callers]


class _Parts:
    """Services that are taken away and brought back."""

    def __init__(self, layout: Layout) -> None:
        self._processes = Processes(layout)
        self._services = services(layout, Path())

    async def stop(self, *names: str) -> None:
        await asyncio.to_thread(self._processes.stop, names)

    async def start(self, *names: str) -> None:
        for name in names:
            await asyncio.to_thread(self._processes.start, self._services[name])
            await asyncio.to_thread(self._processes.await_ready, self._services[name])
