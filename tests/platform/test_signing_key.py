"""The issuer gets another signing key, and nobody who has a token or asks for one feels it."""

import asyncio
import base64
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import pytest

from conecta_operator.plan.keepers import KEEPERS
from sandbox.layout import Layout
from sandbox.processes import base_environment
from tests.support.application import Gateway
from tests.support.callers import Caller, bearer, calling
from tests.support.kubectl import agency_namespace, eventually
from tests.support.own_operator import sandbox_operator
from tests.support.paced_client import PacedClient
from tests.support.right import Right
from tests.support.token_requirements import NamesSeen
from tests.support.tokens import IssuerAdmin

CALLS_A_SECOND: Final = 100
SLEEPERS_CALL_EVERY: Final = tuple(range(5, 45, 2))
"""Seconds. Each opens its connection at the start, and keeps it: some call again within the gateway's drain, others
when a connection of before would be none the wiser."""
_BEFORE_AND_AFTER: Final = 3.0


@pytest.fixture(scope="module")
def right(gateway: Gateway) -> Iterator[Right]:
    with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
        yield Right(gateway, provider, receiver)


def rotate(layout: Layout) -> subprocess.CompletedProcess[str]:
    """As docs/how-to/signing-keys.md says, with the operator's own settings and rights."""
    operator = sandbox_operator(layout)
    return subprocess.run(
        [operator.argv[0], "-m", "conecta_operator.signing_key"],
        env=base_environment() | dict(operator.environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )


def signed_by(token: str) -> str:
    head = token.partition(".")[0]
    kid: str = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    return kid


@dataclass
class Everybody:
    """Callers of all kinds: with a fresh token each second, with one of before, and on connections mostly idle."""

    paced: PacedClient
    old_token: Caller
    sleepers: list[Caller]
    begun: float = field(default_factory=time.monotonic)

    def assert_felt_nothing(self) -> None:
        """Calls went on all the time, and each was answered as ever; so was each request for a token."""
        felt = {
            "calls with fresh tokens": set(self.paced.statuses),
            "tokens": set(self.paced.token_statuses),
            "calls with a token of before": {call.status for call in self.old_token.calls},
            "calls on idle connections": {call.status for sleeper in self.sleepers for call in sleeper.calls},
        }
        assert [who for who, statuses in felt.items() if statuses != {200}] == [], felt
        rate = len(self.paced.statuses) / (time.monotonic() - self.begun)
        print(f"{len(self.paced.statuses)} calls, {rate:.0f}/s")  # noqa: T201 - a number to report
        assert rate > CALLS_A_SECOND / 10


@asynccontextmanager
async def everybody_calling(layout: Layout, right: Right) -> AsyncIterator[Everybody]:
    token = bearer(await asyncio.to_thread(right.application.token))
    everybody = Everybody(
        PacedClient(layout, right.path, right.key, rate=CALLS_A_SECOND),
        Caller(right.path, token, 5),
        [Caller(right.path, token, 1 / seconds) for seconds in SLEEPERS_CALL_EVERY],
    )
    async with calling(layout, everybody.old_token, *everybody.sleepers):
        calls = asyncio.create_task(everybody.paced.run())
        await asyncio.sleep(_BEFORE_AND_AFTER)
        yield everybody
        await asyncio.sleep(_BEFORE_AND_AFTER)
        calls.cancel()
        with suppress(asyncio.CancelledError):
            await calls


async def test_a_rotation_of_the_signing_key_refuses_no_token(platform: Layout, gateway: Gateway, right: Right) -> None:
    """APIs that are added meanwhile take tokens of both keys, too. Nothing private is told."""
    before = right.application.token()
    names = NamesSeen()
    async with everybody_calling(platform, right) as everybody:
        watching = asyncio.create_task(names.look_on_and_on())
        rotation = asyncio.create_task(asyncio.to_thread(rotate, platform))
        added = []
        while not rotation.done():
            added.append(await asyncio.to_thread(Right, gateway, right.provider, right.receiver))
            await asyncio.wait([rotation], timeout=10)
        after = await asyncio.to_thread(right.application.token)
        watching.cancel()
    everybody.assert_felt_nothing()
    assert signed_by(after) != signed_by(before)
    assert {right.status(right.application, token) for token in (before, after)} == {200}
    assert {one.status(one.application) for one in added} == {200}
    assert_known_beforehand(names)
    told = rotation.result()
    assert "PRIVATE" not in told.stderr
    assert '"d"' not in told.stdout + told.stderr


def assert_known_beforehand(names: NamesSeen) -> None:
    """Envoy has never asked for a name that its listener did not know already, or was about to forget."""
    for before, now in pairwise(names.states):
        assert now.asked <= now.known & before.known
        assert before.asked <= now.known
    assert len(frozenset().union(*(state.asked for state in names.states))) > 1, "other keys came into use"


async def test_a_key_that_is_taken_out_opens_nothing_and_others_do_not_feel_it(
    platform: Layout, right: Right, issuer: IssuerAdmin
) -> None:
    """As docs/how-to/signing-keys.md says for a key that has leaked, after the rotation."""
    leaked = right.application.token()
    await asyncio.to_thread(rotate, platform)
    async with everybody_calling(platform, right) as everybody:
        await asyncio.to_thread(issuer.take_out, signed_by(leaked))
        taken_out = time.monotonic()
        await asyncio.to_thread(eventually, lambda: right.status(right.application, leaked) == 401, 90)
        print(f"refused after {time.monotonic() - taken_out:.0f} s")  # noqa: T201 - a number to report
    everybody.assert_felt_nothing()


def test_nobody_can_call_what_keeps_the_keys(gateway: Gateway, right: Right) -> None:
    """Not by its host name either, nor can an API be called by that name."""
    token = bearer(right.application.token())
    for keeper in KEEPERS:
        host = {"host": f"{keeper}.invalid"}
        answers = [gateway.request("GET", path, headers=host | token).status for path in ("/", right.path)]
        assert (answers, gateway.request("GET", "/", headers=host).status) == ([403, 403], 401)
