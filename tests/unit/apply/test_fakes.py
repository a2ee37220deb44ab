"""What the fakes offer to tests beyond the protocols."""

import pytest

from conecta_operator.api.objects import CONFIG_MAP, NAMESPACE, Manifest, ObjectKey
from conecta_operator.errors import ClusterUnavailable, Conflict
from tests.support.fake_cluster import FakeCluster, RecordedEvent
from tests.support.fake_issuer import FakeIssuer
from tests.support.journal import Journal, Write
from tests.unit.apply.test_hydra_answers import KEY as HYDRA_KEY
from tests.unit.apply.test_hydra_answers import PASSWORD

KEY = ObjectKey(CONFIG_MAP, "receita", "one")
NAMESPACE_KEY = ObjectKey(NAMESPACE, "", "receita")


def config_map(name: str = "one", **metadata: object) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "receita", "name": name, **metadata}}


async def test_one_journal_tells_the_order_of_all_writes() -> None:
    journal = Journal()
    cluster, issuer = FakeCluster(config_map("old"), journal=journal), FakeIssuer(journal=journal)
    created = await cluster.create(config_map())
    await issuer.put(HYDRA_KEY, PASSWORD)
    await cluster.get(KEY)
    await cluster.delete(created)
    await cluster.record_event(created, type_="Normal", reason="Seen", message="one")
    await issuer.remove(HYDRA_KEY.client_id)
    assert journal.writes == [
        Write("create", KEY),
        Write("put", HYDRA_KEY.client_id),
        Write("delete", KEY),
        Write("record_event", KEY),
        Write("remove", HYDRA_KEY.client_id),
    ]
    assert cluster.events == [RecordedEvent(KEY, "Normal", "Seen", "one")]


@pytest.mark.parametrize("taken", [False, True])
async def test_the_chosen_write_fails_once_before_or_after_it_was_taken(*, taken: bool) -> None:
    cluster = FakeCluster(config_map("zero"))
    cluster.journal.fail_at(2, ClusterUnavailable("now"), taken=taken)
    await cluster.create(config_map())
    with pytest.raises(ClusterUnavailable, match="now"):
        await cluster.create(config_map("two"))
    assert (ObjectKey(CONFIG_MAP, "receita", "two") in cluster.objects) is taken
    await cluster.create(config_map("three"))


async def test_a_hook_can_meddle_as_another_user_would() -> None:
    cluster = FakeCluster(config_map())
    read = await cluster.get(KEY)
    assert read is not None

    def meddle(_: Write) -> None:
        cluster.put(config_map(labels={"a": "b"}))

    cluster.journal.before = meddle
    with pytest.raises(Conflict):
        await cluster.replace(read | {"data": {"a": "1"}})
    assert cluster.journal.writes == []


async def test_an_outage_is_for_reads_and_writes_until_it_ends() -> None:
    cluster = FakeCluster(config_map())
    cluster.outage = ClusterUnavailable("away")
    for method in (cluster.get(KEY), cluster.create(config_map("two"))):
        with pytest.raises(ClusterUnavailable):
            await method
    cluster.outage = None
    assert await cluster.get(KEY)


async def test_objects_are_put_with_their_namespace_status_uid_and_age() -> None:
    given = config_map(uid="u", creationTimestamp="2026-01-01T00:00:00Z", generation=3)
    cluster = FakeCluster({**given, "kind": "Service", "status": {"a": 1}})
    (stored,) = [manifest for key, manifest in cluster.objects.items() if key != NAMESPACE_KEY]
    assert stored["status"] == {"a": 1}
    assert given["metadata"].items() <= stored["metadata"].items()
    assert NAMESPACE_KEY in cluster.objects


async def test_putting_over_an_object_is_an_edit_of_it() -> None:
    cluster = FakeCluster(config_map())
    before = cluster.objects[KEY]["metadata"]
    after = cluster.put(config_map(labels={"a": "b"}))["metadata"]
    assert after["labels"] == {"a": "b"}
    assert after["uid"] == before["uid"]
    assert after["resourceVersion"] != before["resourceVersion"]


async def test_nobody_holds_a_reference_into_the_fake() -> None:
    manifest = config_map(labels={"a": "b"})
    cluster = FakeCluster(manifest)
    read = await cluster.get(KEY)
    assert read is not None
    for held in (manifest, read, cluster.objects[KEY]):
        held["metadata"]["labels"]["a"] = "changed"
    assert cluster.objects[KEY]["metadata"]["labels"] == {"a": "b"}


async def test_what_is_dropped_is_gone() -> None:
    cluster, issuer = FakeCluster(config_map(finalizers=["a.org/b"])), FakeIssuer()
    cluster.drop(KEY)
    assert await cluster.get(KEY) is None
    await issuer.put(HYDRA_KEY, PASSWORD)
    assert issuer.clients == {HYDRA_KEY.client_id: HYDRA_KEY}
    issuer.drop(HYDRA_KEY.client_id)
    assert await issuer.keys(HYDRA_KEY.grant_uid) == ()
    assert not issuer.verify(HYDRA_KEY.client_id, PASSWORD)


async def test_a_namespace_waits_for_what_finalizers_hold_in_it() -> None:
    cluster = FakeCluster(config_map(finalizers=["a.org/b"]))
    await cluster.delete(cluster.objects[NAMESPACE_KEY])
    cluster.collect_garbage()
    held = cluster.objects[KEY]
    assert held["metadata"]["deletionTimestamp"]
    held["metadata"]["finalizers"] = []
    await cluster.replace(held)
    cluster.collect_garbage()
    assert cluster.objects == {}
