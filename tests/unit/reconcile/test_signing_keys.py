"""The issuer is asked for its keys seldom, however many ask us; new ones come into use step by step."""

import asyncio
from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import SECURITY_POLICY, Manifest, ObjectKey
from conecta_operator.errors import ClusterUnavailable, IssuerUnavailable
from conecta_operator.plan import keepers
from conecta_operator.plan.keepers import KEEPERS, TURN
from conecta_operator.reconcile.signing_keys import MAX_AGE, PATIENCE, Keys, SigningKeys
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.worlds import PLATFORM, accepted, keepers_of
from tests.unit.reconcile.stand_ins import (
    NOON,
    FakeClock,
    ListedLandscape,
    api_manifest,
    namespace_manifest,
    signing_keys_over,
)

OLD = FakeIssuer().public_keys
NEW, NEWEST = '{"keys":["new"]}', '{"keys":["newest"]}'


class CountingIssuer(FakeIssuer):
    """Counts how often its keys are read."""

    asked = 0

    @override
    async def jwks(self) -> str:
        self.asked += 1
        return await super().jwks()


class Scene:
    """One API that is served, keepers that the gateway accepts at once, and time that passes for everybody."""

    def __init__(self, *objects: Manifest) -> None:
        self.issuer = CountingIssuer()
        self.cluster = FakeCluster(namespace_manifest(PLATFORM.gateway_namespace), *objects)
        self.clock = FakeClock()
        self._began = self.clock.now
        self.restart()

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.clock.now - self._began)

    def restart(self) -> None:
        """All that the operator knew by itself is forgotten."""
        api = api_manifest("cep", status={"url": "https://apigateway.conecta.example/api-cep/v1"})
        self.keys: SigningKeys = signing_keys_over(
            self.cluster, self.issuer, landscape=ListedLandscape(api), clock=self.clock, now=lambda: self.now
        )

    async def after(self, passed: timedelta = MAX_AGE) -> Keys:
        """What is known so much later, when somebody has asked every ten seconds."""
        for _ in range(passed // MAX_AGE):
            self.clock.advance(MAX_AGE.total_seconds())
            known = await self.keys.current()
            self._accept()
        return known

    def copy(self, jwks: str) -> None:
        """Give the API's namespace these keys, now."""
        self.cluster.put(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": "conecta-jwks",
                    "namespace": "receita",
                    "labels": {"app.kubernetes.io/managed-by": "conecta-operator"},
                    "managedFields": [{"operation": "Update", "time": timestamp(self.now)}],
                },
                "data": {"jwks": jwks},
            }
        )

    def kept(self) -> list[tuple[str, str]]:
        """The keys of each keeper, and its turn."""
        policies = [
            self.cluster.manifest(ObjectKey(SECURITY_POLICY, PLATFORM.gateway_namespace, name)) for name in KEEPERS
        ]
        return [
            (policy["spec"]["jwt"]["providers"][0]["localJWKS"]["inline"], policy["metadata"]["annotations"][TURN])
            for policy in policies
        ]

    def _accept(self) -> None:
        for key in keepers.objects_of_keepers(PLATFORM):
            manifest = self.cluster.manifest(key)
            wanted = accepted(manifest, at=self.now)
            if wanted["status"] != manifest.get("status"):
                self.cluster.put(wanted)


@pytest.fixture
def scene() -> Scene:
    made = Scene(*keepers_of(OLD))
    made.copy(OLD)
    return made


async def test_many_who_ask_at_once_are_one_question(scene: Scene) -> None:
    answers = await asyncio.gather(*(scene.keys.current() for _ in range(50)))
    assert set(answers) == {Keys(OLD, is_issuer_away=False)}
    assert scene.issuer.asked == 1


async def test_keys_are_as_of_at_most_ten_seconds_ago(scene: Scene) -> None:
    await scene.keys.current()
    scene.clock.advance(9)
    await scene.keys.current()
    assert scene.issuer.asked == 1
    scene.clock.advance(1)
    await scene.keys.current()
    assert scene.issuer.asked == 2


async def test_an_issuer_that_is_away_is_asked_as_seldom_and_its_keys_stay_in_use(scene: Scene) -> None:
    scene.issuer.outage = IssuerUnavailable("away")
    assert [await scene.keys.current() for _ in range(5)] == [Keys(OLD, is_issuer_away=True)] * 5
    assert scene.issuer.asked == 1
    scene.issuer.outage = None
    assert await scene.after() == Keys(OLD, is_issuer_away=False)


async def test_before_the_issuers_first_answer_nobody_can_tell() -> None:
    scene = Scene()
    scene.issuer.outage = IssuerUnavailable("away")
    assert await scene.keys.current() == Keys(None, is_issuer_away=True)
    assert not any(key.name in KEEPERS for key in scene.cluster.keys)


async def test_the_first_keys_are_in_use_at_once() -> None:
    scene = Scene()
    assert await scene.keys.current() == Keys(OLD, is_issuer_away=False)
    assert scene.kept() == [(OLD, "1"), (OLD, "0")]


async def test_an_api_server_that_is_away_takes_nothing_out_of_use(scene: Scene) -> None:
    await scene.keys.current()
    scene.issuer.public_keys = NEW
    scene.cluster.outage = ClusterUnavailable("away")
    assert await scene.after() == Keys(OLD, is_issuer_away=False)


async def test_new_keys_come_into_use_when_no_connection_is_left_that_does_not_know_them(scene: Scene) -> None:
    await scene.after()
    scene.issuer.public_keys = NEW
    assert (await scene.after()).in_use == OLD
    assert scene.kept() == [(OLD, "1"), (NEW, "0")]
    assert (await scene.after(timedelta(seconds=60))).in_use == OLD
    assert (await scene.after()).in_use == NEW
    assert scene.kept() == [(OLD, "1"), (NEW, "2")]


async def test_an_operator_that_starts_anew_goes_on_where_it_was(scene: Scene) -> None:
    await scene.after()
    scene.issuer.public_keys = NEW
    for _ in range(8):
        scene.restart()
        known = await scene.after()
    assert known.in_use == NEW
    assert scene.kept() == [(OLD, "1"), (NEW, "2")]


async def test_the_next_new_keys_wait_until_nobody_uses_the_old_ones(scene: Scene) -> None:
    await scene.after()
    scene.issuer.public_keys = NEW
    await scene.after(timedelta(seconds=80))
    scene.issuer.public_keys = NEWEST
    await scene.after(timedelta(seconds=60))
    assert scene.kept() == [(OLD, "1"), (NEW, "2")]
    scene.copy(NEW)
    await scene.after()
    assert scene.kept() == [(NEWEST, "0"), (NEW, "2")]


async def test_a_namespace_that_cannot_follow_keeps_new_keys_from_the_others_for_minutes_only(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.after()
    scene.issuer.public_keys = NEW
    await scene.after(timedelta(seconds=80))
    scene.issuer.public_keys = NEWEST
    await scene.after(PATIENCE)
    assert scene.kept() == [(OLD, "1"), (NEW, "2")]
    await scene.after()
    assert scene.kept() == [(NEWEST, "0"), (NEW, "2")]
    assert "the issuer's new keys wait no longer for receita" in caplog.text
