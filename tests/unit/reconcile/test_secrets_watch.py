"""Secrets are watched where there are grants and the right is given, and what was missed is made up for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from conecta_operator.api.objects import ROLE_BINDING, SECRET, Kind, Manifest, ObjectKey
from conecta_operator.errors import ClusterUnavailable
from conecta_operator.reconcile import secrets_watch
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.secrets_watch import SecretsWatch
from conecta_operator.reconcile.workqueue import WorkQueue
from tests.unit.reconcile.stand_ins import FakeClock, ListedLandscape, grant_key, grant_manifest, seeded, until


class Watchable:
    """A cluster that is watched: what is asked of it, and what it tells."""

    def __init__(self) -> None:
        self.allowed = {"saude", "receita"}
        self.asked: list[str] = []
        self.begun: list[tuple[str, str]] = []
        self.open: set[str] = set()
        self.told: asyncio.Queue[tuple[str, Manifest] | None] = asyncio.Queue()
        self.outage: ClusterUnavailable | None = None

    async def get(self, key: ObjectKey) -> Manifest | None:
        self.asked.append(str(key))
        if self.outage:
            raise self.outage
        return {"kind": "RoleBinding"} if key.namespace in self.allowed else None

    async def version(self, kind: Kind, *, namespace: str) -> str:
        assert kind == SECRET
        return f"{namespace}-{len(self.begun)}"

    async def changes(self, kind: Kind, *, namespace: str, since: str) -> AsyncIterator[tuple[str, Manifest]]:
        assert kind == SECRET
        self.begun.append((namespace, since))
        self.open.add(namespace)
        try:
            while (told := await self.told.get()) is not None:
                yield told
        finally:
            self.open.discard(namespace)


class Scene:
    """What there is, and who watches."""

    def __init__(self, *grants: Manifest) -> None:
        clock = FakeClock()
        self.cluster = Watchable()
        self.landscape = ListedLandscape(*grants)
        self.queue: WorkQueue[ObjectKey] = WorkQueue(clock=clock, random=seeded())
        self.intake = Intake(queue=self.queue, landscape=self.landscape, clock=clock)
        self.watch = SecretsWatch(
            cluster=self.cluster,
            queue=self.queue,
            landscape=self.landscape,
            intake=self.intake,
            random=Random(1),  # noqa: S311 - no secret
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.intake.is_open.set()
        task = asyncio.create_task(self.watch.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def looked_at(self) -> ObjectKey:
        """The next that is put to work, and done with at once."""
        key = await self.queue.take()
        self.queue.done(key)
        return key

    async def tell(self, happened: str, name: str) -> None:
        metadata = {"namespace": "saude", "name": name}
        await self.cluster.told.put((happened, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}))


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_BETWEEN_LOOKS", "_FIRST_PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(secrets_watch, name, 0.0)


async def test_nothing_is_watched_before_all_objects_are_listed() -> None:
    scene = Scene(grant_manifest("use"))
    task = asyncio.create_task(scene.watch.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert scene.cluster.asked == []
    task.cancel()


async def test_secrets_are_watched_only_in_namespaces_with_grants() -> None:
    scene = Scene(grant_manifest("use"))
    async with scene.running():
        await until(lambda: bool(scene.cluster.begun))
    assert scene.cluster.begun == [("saude", "saude-0")]
    assert scene.cluster.asked == [str(ObjectKey(ROLE_BINDING, "saude", "conecta-operator"))]


async def test_what_happens_to_a_grants_secret_puts_the_grant_to_work() -> None:
    scene = Scene(grant_manifest("use"), grant_manifest("other"))
    async with scene.running():
        assert {await scene.looked_at(), await scene.looked_at()} == {grant_key("use"), grant_key("other")}
        await scene.tell("DELETED", "use-conecta")
        await scene.tell("MODIFIED", "nobodys")
        await until(scene.cluster.told.empty)
        await asyncio.sleep(0)
        assert await scene.looked_at() == grant_key("use")
        assert len(scene.queue) == 0


async def test_whenever_a_watch_begins_all_grants_of_the_namespace_are_looked_at() -> None:
    """What was deleted before, no watch tells."""
    scene = Scene(grant_manifest("use"), grant_manifest("other"))
    async with scene.running():
        for times in (1, 2):
            await until(lambda times=times: len(scene.cluster.begun) == times)  # type: ignore[misc]
            assert {await scene.looked_at(), await scene.looked_at()} == {grant_key("use"), grant_key("other")}
            await scene.cluster.told.put(None)


async def test_without_the_right_grants_are_looked_at_until_it_is_given() -> None:
    scene = Scene(grant_manifest("use"))
    scene.cluster.allowed.clear()
    async with scene.running():
        assert [await scene.looked_at() for _ in range(2)] == [grant_key("use")] * 2
        assert scene.cluster.begun == []
        scene.cluster.allowed.add("saude")
        await until(lambda: bool(scene.cluster.begun))


async def test_an_outage_is_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(grant_manifest("use"))
    scene.cluster.outage = ClusterUnavailable("it is away")
    async with scene.running():
        await until(lambda: len(scene.cluster.asked) > 2)
        scene.cluster.outage = None
        await until(lambda: bool(scene.cluster.begun))
    assert "Secrets in saude are not watched: it is away" in caplog.text


async def test_where_the_last_grant_is_gone_the_watch_ends() -> None:
    scene = Scene(grant_manifest("use"))
    async with scene.running():
        await until(lambda: scene.cluster.open == {"saude"})
        scene.landscape.bury([grant.uid for grant in scene.landscape.grants()])
        await until(lambda: scene.cluster.open == set())
