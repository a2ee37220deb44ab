"""Everything is looked at now and then, ghosts are buried, and new keys of the issuer reach all APIs."""

import asyncio
from datetime import timedelta

import pytest

from conecta_operator.api.objects import SECURITY_POLICY, Manifest, ObjectKey
from conecta_operator.errors import ClusterUnavailable, IssuerUnavailable
from conecta_operator.plan.keepers import KEEPERS
from conecta_operator.reconcile import resync
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.mapping import Change, Happened
from conecta_operator.reconcile.resync import IssuerWatch, Resync, jittered
from conecta_operator.reconcile.signing_keys import MAX_AGE, Keys
from conecta_operator.reconcile.steps import Steps
from conecta_operator.reconcile.sweep import Sweep
from conecta_operator.reconcile.workqueue import WorkQueue
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.worlds import PLATFORM, keepers_of
from tests.unit.reconcile.stand_ins import (
    FakeClock,
    ListedLandscape,
    api_key,
    api_manifest,
    grant_key,
    grant_manifest,
    seeded,
    signing_keys_over,
    until,
)


class Scene:
    """What is there, what the watches have seen, and who compares the two."""

    def __init__(self, *, live: tuple[Manifest, ...] = (), seen: tuple[Manifest, ...] = ()) -> None:
        self.clock = FakeClock()
        self.issuer = FakeIssuer()
        self.cluster = FakeCluster(*keepers_of(self.issuer.public_keys), *live)
        self.signing_keys = signing_keys_over(self.cluster, self.issuer, clock=self.clock)
        self.landscape = ListedLandscape(*seen)
        self.queue: WorkQueue[ObjectKey] = WorkQueue(clock=self.clock, random=seeded())
        self.intake = Intake(queue=self.queue, landscape=self.landscape, clock=self.clock)
        self.resync = Resync(
            cluster=self.cluster,
            queue=self.queue,
            landscape=self.landscape,
            intake=self.intake,
            sweep=Sweep(
                cluster=self.cluster,
                issuer=self.issuer,
                steps=Steps(cluster=self.cluster, issuer=self.issuer),
                platform=PLATFORM,
            ),
            interval=timedelta(seconds=600),
            clock=self.clock,
            random=seeded(),
        )
        self.issuer_watch = IssuerWatch(
            signing_keys=self.signing_keys,
            queue=self.queue,
            landscape=self.landscape,
            intake=self.intake,
            random=seeded(),
        )

    def bring_into_use(self, jwks: str) -> None:
        """As the keepers say once everybody knows these keys; ten seconds pass."""
        self.issuer.public_keys = jwks
        for manifest in keepers_of(jwks):
            self.cluster.put(manifest)
        self.clock.advance(MAX_AGE.total_seconds())

    async def queued(self, within: float = 60) -> set[ObjectKey]:
        self.clock.advance(within)
        found = set()
        while len(self.queue):
            key = await self.queue.take()
            self.queue.done(key)
            found.add(key)
        return found


async def test_a_resync_puts_to_work_what_is_there_and_what_is_believed_to_be() -> None:
    scene = Scene(
        live=(api_manifest("cep"), grant_manifest("unseen")), seen=(api_manifest("cep"), grant_manifest("ghost"))
    )
    await scene.resync.look_at_everything()
    assert await scene.queued() == {api_key("cep"), grant_key("unseen"), grant_key("ghost")}
    assert scene.resync.last_success == scene.clock.now - 60


async def test_a_resync_buries_what_is_gone() -> None:
    scene = Scene(live=(api_manifest("cep"),), seen=(api_manifest("cep"), api_manifest("ghost")))
    await scene.resync.look_at_everything()
    assert [api.key for api in scene.landscape.apis()] == [api_key("cep")]


async def test_ten_thousand_keys_are_spread_over_less_than_a_minute() -> None:
    grants = tuple(grant_manifest(f"g-{number}") for number in range(10_000))
    scene = Scene(seen=grants)
    await scene.resync.look_at_everything()
    dues = [timer.due - scene.clock.now for timer in scene.clock.timers]
    assert len(dues) == len(grants)
    assert 40 < max(dues) < 60
    assert min(dues) < 1


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sleeps lets others run, and goes on."""
    for pause in ("_SETTLING", "_AFTER_FAILURE"):
        monkeypatch.setattr(resync, pause, timedelta())


async def _until_looked(scene: Scene, before: float | None) -> None:
    await until(lambda: scene.resync.last_success != before)


@pytest.mark.usefixtures("no_pauses")
async def test_nothing_is_looked_at_before_the_watches_have_listed_everything() -> None:
    scene = Scene(live=(api_manifest("cep"),))
    running = asyncio.create_task(scene.resync.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert scene.resync.last_success is None
    scene.intake.notice(Change(Happened.LISTED, api_manifest("cep")))
    await _until_looked(scene, None)
    running.cancel()


@pytest.mark.usefixtures("no_pauses")
async def test_a_relisting_is_looked_into_at_once() -> None:
    scene = Scene(live=(api_manifest("cep"),))
    running = asyncio.create_task(scene.resync.run())
    scene.intake.notice(Change(Happened.LISTED, api_manifest("cep")))
    await _until_looked(scene, None)
    before = scene.resync.last_success
    scene.clock.advance(1)
    scene.intake.notice(Change(Happened.LISTED, api_manifest("cep")))
    await _until_looked(scene, before)
    running.cancel()


@pytest.mark.usefixtures("no_pauses")
async def test_an_outage_of_the_api_server_ends_no_resync() -> None:
    scene = Scene(live=(api_manifest("cep"),))
    scene.cluster.outage = ClusterUnavailable("away")
    running = asyncio.create_task(scene.resync.run())
    scene.intake.notice(Change(Happened.LISTED, api_manifest("cep")))
    for _ in range(20):
        await asyncio.sleep(0)
    scene.cluster.outage = None
    await _until_looked(scene, None)
    running.cancel()


def test_resyncs_come_at_the_interval_give_or_take_a_tenth() -> None:
    random = seeded()
    pauses = [jittered(timedelta(seconds=600), random).total_seconds() for _ in range(100)]
    assert all(540 <= pause <= 660 for pause in pauses)
    assert max(pauses) - min(pauses) > 60


async def test_other_keys_that_come_into_use_put_all_apis_to_work() -> None:
    scene = Scene(seen=(api_manifest("cep"), api_manifest("cpf-light"), grant_manifest("g")))
    known = await scene.issuer_watch.look(Keys(scene.issuer.public_keys, is_issuer_away=False))
    assert await scene.queued() == set()
    scene.bring_into_use("rotated")
    assert await scene.issuer_watch.look(known) == Keys("rotated", is_issuer_away=False)
    assert await scene.queued() == {api_key("cep"), api_key("cpf-light")}


async def test_keys_that_nobody_can_tell_are_no_news() -> None:
    scene = Scene(seen=(api_manifest("cep"),))
    scene.issuer.outage = IssuerUnavailable("away")
    scene.cluster.drop(ObjectKey(SECURITY_POLICY, PLATFORM.gateway_namespace, KEEPERS[0]))
    known = Keys(scene.issuer.public_keys, is_issuer_away=True)
    assert await scene.issuer_watch.look(known) == Keys(None, is_issuer_away=True)
    assert await scene.queued() == set()


async def test_an_issuer_that_is_back_puts_all_to_work_that_may_have_waited_for_it() -> None:
    scene = Scene(seen=(api_manifest("cep"), grant_manifest("g")))
    scene.issuer.outage = IssuerUnavailable("away")
    known = await scene.issuer_watch.look(Keys(scene.issuer.public_keys, is_issuer_away=False))
    assert (known, await scene.queued()) == (Keys(scene.issuer.public_keys, is_issuer_away=True), set())
    scene.issuer.outage = None
    scene.clock.advance(MAX_AGE.total_seconds())
    await scene.issuer_watch.look(known)
    assert await scene.queued() == {api_key("cep"), grant_key("g")}


async def test_the_issuer_is_watched_once_everything_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync, "MAX_AGE", timedelta())
    scene = Scene(seen=(api_manifest("cep"),))
    running = asyncio.create_task(scene.issuer_watch.run())
    scene.intake.is_open.set()
    for _ in range(50):
        await asyncio.sleep(0)
    scene.bring_into_use("rotated")
    await until(lambda: bool(scene.clock.pending))
    assert await scene.queued() == {api_key("cep")}
    running.cancel()
