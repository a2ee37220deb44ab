"""What a watch says becomes keys in the queue, and an echo of what was said before does not."""

from conecta_operator.api.objects import Manifest, ObjectKey
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.mapping import Change, Happened
from conecta_operator.reconcile.workqueue import WorkQueue
from tests.unit.reconcile.stand_ins import (
    FakeClock,
    ListedLandscape,
    api_key,
    api_manifest,
    grant_key,
    grant_manifest,
    seeded,
)


class Door:
    """An intake and what it put into its queue."""

    def __init__(self, *manifests: Manifest) -> None:
        self.clock = FakeClock()
        self.queue: WorkQueue[ObjectKey] = WorkQueue(clock=self.clock, random=seeded())
        self.intake = Intake(queue=self.queue, landscape=ListedLandscape(*manifests), clock=self.clock)

    async def notice(self, happened: Happened, manifest: Manifest) -> set[ObjectKey]:
        self.intake.notice(Change(happened, manifest))
        found = set()
        while len(self.queue):
            key = await self.queue.take()
            self.queue.done(key)
            found.add(key)
        return found


async def test_a_change_puts_to_work_whom_it_concerns() -> None:
    door = Door(api_manifest("cep"), grant_manifest("g"))
    assert await door.notice(Happened.LISTED, api_manifest("cep")) == {api_key("cep"), grant_key("g")}


async def test_an_api_that_only_has_more_revoked_keys_leaves_its_grants_alone() -> None:
    door = Door(api_manifest("cep"), grant_manifest("g"))
    await door.notice(Happened.ADDED, api_manifest("cep"))
    revoking = api_manifest("cep", status={"revokedKeys": [{"clientId": "x", "until": "2026-11-24T10:00:00Z"}]})
    assert await door.notice(Happened.MODIFIED, revoking) == {api_key("cep")}


async def test_an_api_whose_conditions_change_puts_its_grants_to_work() -> None:
    door = Door(api_manifest("cep"), grant_manifest("g"))
    await door.notice(Happened.ADDED, api_manifest("cep"))
    ready = api_manifest("cep", status={"url": "https://gateway.example/api-cep/v1"})
    assert await door.notice(Happened.MODIFIED, ready) == {api_key("cep"), grant_key("g")}


async def test_an_api_that_is_deleted_and_made_anew_is_news_to_its_grants_both_times() -> None:
    door = Door(grant_manifest("g"))
    for happened in (Happened.ADDED, Happened.DELETED, Happened.ADDED):
        assert grant_key("g") in await door.notice(happened, api_manifest("cep"))


async def test_nothing_is_open_before_the_first_change() -> None:
    door = Door()
    assert (door.intake.is_open.is_set(), door.intake.last_change) == (False, None)
    await door.notice(Happened.LISTED, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    assert (door.intake.is_open.is_set(), door.intake.last_change) == (True, door.clock.now)


async def test_only_a_listing_of_our_own_kinds_asks_for_a_resync() -> None:
    door = Door()
    await door.notice(Happened.LISTED, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    await door.notice(Happened.ADDED, grant_manifest("g"))
    assert not door.intake.relisted.is_set()
    await door.notice(Happened.LISTED, grant_manifest("g"))
    assert door.intake.relisted.is_set()
