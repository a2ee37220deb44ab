"""The issuer is asked for its keys seldom, however many ask us."""

import asyncio

from typing_extensions import override

from conecta_operator.errors import IssuerUnavailable
from conecta_operator.reconcile.signing_keys import SigningKeys
from tests.support.fake_issuer import FakeIssuer
from tests.unit.reconcile.stand_ins import FakeClock


class CountingIssuer(FakeIssuer):
    """Counts how often its keys are read."""

    asked = 0

    @override
    async def jwks(self) -> str:
        self.asked += 1
        return await super().jwks()


async def test_many_who_ask_at_once_are_one_question() -> None:
    issuer = CountingIssuer()
    keys = SigningKeys(issuer=issuer, clock=FakeClock())
    answers = await asyncio.gather(*(keys.current() for _ in range(50)))
    assert set(answers) == {issuer.public_keys}
    assert issuer.asked == 1


async def test_new_keys_are_seen_after_ten_seconds() -> None:
    issuer, clock = FakeIssuer(), FakeClock()
    keys = SigningKeys(issuer=issuer, clock=clock)
    old = await keys.current()
    issuer.public_keys = "new"
    clock.advance(9)
    assert await keys.current() == old
    clock.advance(1)
    assert await keys.current() == "new"


async def test_an_issuer_that_is_away_is_asked_as_seldom() -> None:
    issuer, clock = CountingIssuer(), FakeClock()
    issuer.outage = IssuerUnavailable("away")
    keys = SigningKeys(issuer=issuer, clock=clock)
    assert [await keys.current() for _ in range(5)] == [None] * 5
    assert issuer.asked == 1
    issuer.outage = None
    clock.advance(10)
    assert await keys.current() == issuer.public_keys
