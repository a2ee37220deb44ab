"""Revoked keys reach their API's list, many together in few writes, and none is lost when a write fails."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from conecta_operator.api.objects import Manifest
from conecta_operator.errors import ClusterUnavailable, Conflict
from conecta_operator.reconcile.denials import Denials
from tests.support.fake_cluster import FakeCluster
from tests.support.journal import Write
from tests.unit.reconcile.stand_ins import api_key, api_manifest

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CEP = api_key("cep")


def at(hour: int) -> str:
    return f"2026-11-24T{hour:02}:00:00Z"


def api_with(*listed: tuple[str, int]) -> Manifest:
    entries = [{"clientId": client, "until": at(hour)} for client, hour in listed]
    return api_manifest("cep", status={"url": "https://x", "revokedKeys": entries})


def listed_in(cluster: FakeCluster) -> dict[str, str]:
    return {entry["clientId"]: entry["until"] for entry in cluster.objects[CEP]["status"].get("revokedKeys", [])}


@pytest.mark.parametrize(
    ("listed", "until", "expected"),
    [
        pytest.param([], {"a": 12}, {"a": 12}, id="the first"),
        pytest.param([("b", 9)], {"a": 12}, {"a": 12, "b": 9}, id="beside another"),
        pytest.param([("a", 9)], {"a": 12}, {"a": 12}, id="again, and for longer"),
        pytest.param([("a", 14)], {"a": 12}, {"a": 14}, id="again, and for less long"),
    ],
)
async def test_keys_join_the_list(
    listed: Iterable[tuple[str, int]], until: dict[str, int], expected: dict[str, int]
) -> None:
    cluster = FakeCluster(api_with(*listed))
    moments = {client: NOON + timedelta(hours=hour - 12) for client, hour in until.items()}
    await Denials(cluster).add(cluster.objects[CEP], moments)
    assert listed_in(cluster) == {client: at(hour) for client, hour in expected.items()}
    assert cluster.objects[CEP]["status"]["url"] == "https://x"


async def test_what_is_listed_already_is_not_written_again() -> None:
    cluster = FakeCluster(api_with(("a", 12)))
    await Denials(cluster).add(cluster.objects[CEP], {"a": NOON})
    assert cluster.journal.writes == []


async def test_a_hundred_at_once_are_two_writes() -> None:
    cluster = FakeCluster(api_with())
    denials, api = Denials(cluster), cluster.objects[CEP]
    names = [f"key-{number}" for number in range(100)]
    await asyncio.gather(*(denials.add(api, {name: NOON}) for name in names))
    assert set(listed_in(cluster)) == set(names)
    assert len(cluster.journal.writes) <= 2


async def test_an_api_that_has_changed_since_it_was_read_gets_the_keys_all_the_same() -> None:
    cluster = FakeCluster(api_with(("a", 9)))
    read = cluster.objects[CEP]
    cluster.put({**read, "status": {"url": "https://y"}})
    await Denials(cluster).add(read, {"b": NOON})
    assert listed_in(cluster) == {"b": at(12)}


async def test_a_conflict_is_resolved_by_reading_again() -> None:
    cluster = FakeCluster(api_with())
    cluster.journal.fail_at(1, Conflict("somebody was faster"), taken=False)
    await Denials(cluster).add(cluster.objects[CEP], {"a": NOON})
    assert listed_in(cluster) == {"a": at(12)}


async def test_endless_conflicts_are_given_up() -> None:
    cluster = FakeCluster(api_with())

    def refuse(_: Write) -> None:
        raise Conflict("somebody is always faster")

    cluster.journal.before = refuse
    with pytest.raises(Conflict):
        await Denials(cluster).add(cluster.objects[CEP], {"a": NOON})


async def test_an_api_that_is_gone_is_a_conflict() -> None:
    cluster = FakeCluster(api_with())
    read = cluster.objects[CEP]
    cluster.drop(CEP)
    with pytest.raises(Conflict):
        await Denials(cluster).add(read, {"a": NOON})


async def test_another_api_of_the_same_name_is_left_alone() -> None:
    cluster = FakeCluster(api_with())
    read = cluster.objects[CEP]
    cluster.drop(CEP)
    successor = api_manifest("cep")
    cluster.put({**successor, "metadata": {**successor["metadata"], "uid": "another"}})
    with pytest.raises(Conflict):
        await Denials(cluster).add(read, {"a": NOON})
    assert listed_in(cluster) == {}


async def test_a_write_that_fails_for_one_is_tried_again_for_the_others() -> None:
    cluster = FakeCluster(api_with())
    denials, api = Denials(cluster), cluster.objects[CEP]
    cluster.journal.fail_at(1, ClusterUnavailable("away"), taken=False)
    results = await asyncio.gather(
        *(denials.add(api, {name: NOON}) for name in ("a", "b", "c")), return_exceptions=True
    )
    assert [type(result) for result in results] == [ClusterUnavailable, type(None), type(None)]
    assert {"b", "c"} <= set(listed_in(cluster))


async def test_nothing_is_remembered_of_what_is_done() -> None:
    cluster = FakeCluster(api_with())
    denials, api = Denials(cluster), cluster.objects[CEP]
    await asyncio.gather(*(denials.add(api, {name: NOON}) for name in ("a", "b")))
    assert denials._waiting == {}
