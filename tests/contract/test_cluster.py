"""What holds of every Cluster: each sentence of the protocol's text."""

import secrets
from collections.abc import Awaitable, Callable
from copy import deepcopy

import pytest

from conecta_operator.api.objects import (
    CONECTA_GRANT,
    CONFIG_MAP,
    HTTP_ROUTE,
    SECRET,
    Kind,
    Manifest,
    ObjectKey,
    key_of,
)
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import ClusterUnavailable, Conflict, Rejected
from tests.contract.conftest import ClusterBench, namespace_manifest
from tests.contract.manifests import config_map, http_route, route_status, service


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"]["uid"])


async def _moved_on(bench: ClusterBench, manifest: Manifest) -> Manifest:
    """The object after another's write."""
    manifest = deepcopy(manifest)
    manifest["metadata"]["annotations"] = {"moved": "on"}
    return await bench.cluster.replace(manifest)


async def _recreated(bench: ClusterBench, manifest: Manifest, again: Manifest) -> Manifest:
    await bench.cluster.delete(manifest)
    return await bench.cluster.create(again)


@pytest.mark.parametrize("kind", [CONECTA_GRANT, HTTP_ROUTE, SECRET], ids=str)
async def test_offers_tells_which_kinds_can_be_watched(bench: ClusterBench, kind: Kind) -> None:
    assert await bench.cluster.offers(kind)


@pytest.mark.parametrize("group", ["", "conecta.gov.br", "unheard.example"])
async def test_offers_tells_what_the_api_server_does_not_know(bench: ClusterBench, group: str) -> None:
    assert not await bench.cluster.offers(Kind(group, CONECTA_GRANT.version if group else "v1", "unheards", "Unheard"))


async def test_get_yields_the_object_as_it_is_now(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    assert await bench.cluster.get(key_of(created)) == created
    changed = await _moved_on(bench, created)
    assert await bench.cluster.get(key_of(created)) == changed


@pytest.mark.parametrize("name", ["missing", "Not A Name", ".", "..", "a/b", "a%2Fb", ""])
async def test_get_yields_none_when_there_is_none(bench: ClusterBench, name: str) -> None:
    assert await bench.cluster.get(ObjectKey(CONFIG_MAP, bench.namespace, name)) is None


async def test_get_yields_none_when_there_is_no_such_namespace(bench: ClusterBench) -> None:
    assert await bench.cluster.get(ObjectKey(HTTP_ROUTE, "no-such-namespace", "one")) is None


async def test_list_yields_all_of_a_kind_in_a_namespace_each_as_get_does(bench: ClusterBench) -> None:
    created = [await bench.cluster.create(http_route(bench.namespace, name)) for name in ("a", "b", "c", "d", "e")]
    await bench.cluster.create(config_map(bench.namespace, "other-kind"))
    assert await bench.cluster.list(HTTP_ROUTE, namespace=bench.namespace) == created


async def test_list_yields_only_those_with_all_of_the_labels(bench: ClusterBench) -> None:
    both = {"app": "x", "conecta.gov.br/owner-uid": "1"}
    wanted = await bench.cluster.create(config_map(bench.namespace, "both", labels=both))
    await bench.cluster.create(config_map(bench.namespace, "one", labels={"app": "x"}))
    await bench.cluster.create(config_map(bench.namespace, "none"))
    assert await bench.cluster.list(CONFIG_MAP, namespace=bench.namespace, labels=both) == [wanted]


async def test_list_yields_those_of_every_namespace_without_one(bench: ClusterBench) -> None:
    labels = {"test": secrets.token_hex(4)}
    other = await bench.cluster.create(namespace_manifest(f"{bench.namespace}-other"))
    created = await bench.cluster.create(config_map(bench.namespace, "one", labels=labels))
    elsewhere = await bench.cluster.create(config_map(other["metadata"]["name"], "one", labels=labels))
    found = await bench.cluster.list(CONFIG_MAP, labels=labels)
    await bench.cluster.delete(other)
    assert sorted(found, key=_uid) == sorted([created, elsewhere], key=_uid)


async def test_list_yields_nothing_where_nothing_is(bench: ClusterBench) -> None:
    assert await bench.cluster.list(HTTP_ROUTE, namespace=bench.namespace) == []


async def test_create_yields_the_object_as_stored(bench: ClusterBench) -> None:
    wanted = http_route(bench.namespace, "one", labels={"a": "b"}, annotations={"c": "d"}, finalizers=["e.org/f"])
    created = await bench.cluster.create(wanted)
    assert created == await bench.cluster.get(key_of(wanted))
    assert created["spec"] == wanted["spec"]
    assert wanted["metadata"].items() <= created["metadata"].items()
    assert {"uid", "resourceVersion", "creationTimestamp", "managedFields"} <= created["metadata"].keys()
    assert created["metadata"]["generation"] == 1
    created["metadata"]["finalizers"] = []
    await bench.cluster.replace(created)


async def test_create_leaves_out_what_is_empty_in_the_metadata(bench: ClusterBench) -> None:
    empty = config_map(bench.namespace, "one", labels={}, annotations={}, finalizers=[], ownerReferences=[])
    created = await bench.cluster.create(empty)
    assert not {"labels", "annotations", "finalizers", "ownerReferences"} & created["metadata"].keys()


async def test_create_raises_conflict_when_one_of_that_name_exists(bench: ClusterBench) -> None:
    await bench.cluster.create(config_map(bench.namespace, "one"))
    with pytest.raises(Conflict):
        await bench.cluster.create(config_map(bench.namespace, "one"))


async def test_create_takes_no_status(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one") | {"status": route_status()})
    assert "status" not in created


async def test_create_raises_rejected_when_the_object_itself_is_refused(bench: ClusterBench) -> None:
    with pytest.raises(Rejected):
        await bench.cluster.create(config_map(bench.namespace, "Not_A_Name"))


async def test_create_raises_unavailable_where_the_namespace_is_missing(bench: ClusterBench) -> None:
    with pytest.raises(ClusterUnavailable):
        await bench.cluster.create(config_map("no-such-namespace", "one"))


async def test_create_refuses_what_was_read_before(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    await bench.cluster.delete(created)
    with pytest.raises((ClusterUnavailable, Rejected)):
        await bench.cluster.create(created)


async def test_replace_makes_the_whole_object_what_the_manifest_says_and_nothing_else(bench: ClusterBench) -> None:
    first = config_map(bench.namespace, "one", data={"a": "1", "b": "2"}, labels={"c": "3"}, annotations={"d": "4"})
    version = (await bench.cluster.create(first))["metadata"]["resourceVersion"]
    wanted = config_map(bench.namespace, "one", data={"a": "5"}, labels={"e": "6"}, resourceVersion=version)
    stored = await bench.cluster.replace(wanted)
    assert stored == await bench.cluster.get(key_of(wanted))
    assert stored["data"] == {"a": "5"}
    assert stored["metadata"]["labels"] == {"e": "6"}
    assert "annotations" not in stored["metadata"]


async def test_replace_keeps_what_is_the_api_servers_own(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    version = created["metadata"]["resourceVersion"]
    wanted = http_route(bench.namespace, "one", hostname="two.example", resourceVersion=version)
    stored = await bench.cluster.replace(wanted)
    assert stored["metadata"]["uid"] == created["metadata"]["uid"]
    assert stored["metadata"]["creationTimestamp"] == created["metadata"]["creationTimestamp"]
    assert stored["metadata"]["resourceVersion"] != version


async def test_replace_leaves_the_status_alone(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    reported = await bench.cluster.patch_status(created, route_status())
    version = reported["metadata"]["resourceVersion"]
    wanted = http_route(bench.namespace, "one", hostname="two.example", resourceVersion=version)
    stored = await bench.cluster.replace(wanted | {"status": route_status("example.org/other")})
    assert stored["status"] == reported["status"]


async def test_replace_counts_the_generation_up_when_the_spec_changes_and_only_then(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    annotated = await _moved_on(bench, created)
    assert annotated["metadata"]["generation"] == 1
    annotated["spec"]["hostnames"] = ["two.example"]
    assert (await bench.cluster.replace(annotated))["metadata"]["generation"] == 2


@pytest.mark.parametrize("written", [config_map, http_route])
async def test_replace_changes_nothing_by_writing_what_is_there(
    bench: ClusterBench, written: Callable[[str, str], Manifest]
) -> None:
    created = await bench.cluster.create(written(bench.namespace, "one"))
    assert await bench.cluster.replace(created) == created
    version = created["metadata"]["resourceVersion"]
    bare = written(bench.namespace, "one")
    bare["metadata"]["resourceVersion"] = version
    assert await bench.cluster.replace(bare) == created


async def test_replace_raises_conflict_when_the_object_has_moved_on(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    await _moved_on(bench, created)
    with pytest.raises(Conflict):
        await bench.cluster.replace(created)


@pytest.mark.parametrize("written", [config_map, http_route])
async def test_replace_raises_conflict_when_the_object_is_gone(
    bench: ClusterBench, written: Callable[[str, str], Manifest]
) -> None:
    created = await bench.cluster.create(written(bench.namespace, "one"))
    await bench.cluster.delete(created)
    with pytest.raises(Conflict):
        await bench.cluster.replace(created)


async def test_replace_raises_conflict_when_another_has_its_name(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    await _recreated(bench, created, config_map(bench.namespace, "one"))
    with pytest.raises(Conflict):
        await bench.cluster.replace(created)


async def test_replace_is_never_unconditional(bench: ClusterBench) -> None:
    await bench.cluster.create(config_map(bench.namespace, "one"))
    with pytest.raises(KeyError):
        await bench.cluster.replace(config_map(bench.namespace, "one", data={"a": "1"}))


async def test_delete_deletes_the_object(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    await bench.cluster.delete(created)
    assert await bench.cluster.get(key_of(created)) is None


async def test_delete_deletes_an_object_that_has_moved_on(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    await _moved_on(bench, created)
    await bench.cluster.delete(created)
    assert await bench.cluster.get(key_of(created)) is None


async def test_delete_is_a_success_when_the_object_is_gone_already(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    await bench.cluster.delete(created)
    await bench.cluster.delete(created)


async def test_delete_raises_conflict_when_another_has_its_name(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    another = await _recreated(bench, created, config_map(bench.namespace, "one"))
    with pytest.raises(Conflict):
        await bench.cluster.delete(created)
    assert await bench.cluster.get(key_of(created)) == another


async def test_delete_waits_for_the_finalizers(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one", finalizers=["e.org/a", "e.org/b"]))
    await bench.cluster.delete(created)
    ending = await bench.cluster.get(key_of(created))
    assert ending is not None
    assert ending["metadata"]["deletionTimestamp"]
    assert ending["metadata"]["generation"] == 2
    await bench.cluster.delete(created)
    assert await bench.cluster.get(key_of(created)) == ending
    ending["metadata"]["finalizers"] = ["e.org/b"]
    ending = await bench.cluster.replace(ending)
    ending["metadata"]["finalizers"] = []
    await bench.cluster.replace(ending)
    assert await bench.cluster.get(key_of(created)) is None


async def test_delete_admits_no_finalizers_afterwards(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one", finalizers=["e.org/a"]))
    await bench.cluster.delete(created)
    ending = await bench.cluster.get(key_of(created))
    assert ending is not None
    with pytest.raises(Rejected):
        await bench.cluster.replace(ending | {"metadata": ending["metadata"] | {"finalizers": ["e.org/a", "e.org/b"]}})
    ending["metadata"]["finalizers"] = []
    await bench.cluster.replace(ending)


async def test_patch_status_sets_the_status_and_nothing_else(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    reported = await bench.cluster.patch_status(created, route_status())
    assert reported == await bench.cluster.get(key_of(created))
    assert reported["status"]["parents"][0]["controllerName"] == "example.org/nobody"
    assert reported["spec"] == created["spec"]
    assert reported["metadata"]["generation"] == 1
    assert reported["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]


async def test_patch_status_leaves_other_fields_alone_and_removes_by_none(bench: ClusterBench) -> None:
    created = await bench.cluster.create(service(bench.namespace, "one"))
    address = {"ingress": [{"ip": "127.0.0.1"}]}
    condition = {
        "type": "Known",
        "status": "True",
        "reason": "Test",
        "message": "",
        "lastTransitionTime": "2026-11-24T07:00:00Z",
    }
    one = await bench.cluster.patch_status(created, {"conditions": [condition]})
    both = await bench.cluster.patch_status(one, {"loadBalancer": address})
    assert both["status"]["conditions"] == [condition]
    assert both["status"]["loadBalancer"]["ingress"][0]["ip"] == "127.0.0.1"
    other = await bench.cluster.patch_status(both, {"conditions": None})
    assert "conditions" not in other["status"]
    assert other["status"]["loadBalancer"] == both["status"]["loadBalancer"]


async def test_patch_status_changes_nothing_by_setting_what_is_there(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    reported = await bench.cluster.patch_status(created, route_status())
    assert await bench.cluster.patch_status(reported, route_status()) == reported


async def test_patch_status_raises_conflict_when_the_object_has_moved_on(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    await _moved_on(bench, created)
    with pytest.raises(Conflict):
        await bench.cluster.patch_status(created, route_status())


async def test_patch_status_raises_conflict_when_the_object_is_gone(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    await bench.cluster.delete(created)
    with pytest.raises(Conflict):
        await bench.cluster.patch_status(created, route_status())


async def test_patch_status_raises_conflict_when_another_has_its_name(bench: ClusterBench) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    await _recreated(bench, created, http_route(bench.namespace, "one"))
    with pytest.raises(Conflict):
        await bench.cluster.patch_status(created, route_status())


@pytest.mark.parametrize("type_", ["Normal", "Warning"])
async def test_record_event_records_an_event_about_an_object(bench: ClusterBench, type_: str) -> None:
    created = await bench.cluster.create(http_route(bench.namespace, "one"))
    await bench.cluster.record_event(created, type_=type_, reason="KeyIssued", message="Chave emitida: 1")
    assert await bench.events_about(created) == [(type_, "KeyIssued", "Chave emitida: 1")]


async def test_record_event_records_each_time_anew(bench: ClusterBench) -> None:
    created = await bench.cluster.create(config_map(bench.namespace, "one"))
    for _ in range(2):
        await bench.cluster.record_event(created, type_="Normal", reason="Seen", message="again")
    assert len(await bench.events_about(created)) == 2


def _every_method(cluster: Cluster) -> list[Callable[[], Awaitable[object]]]:
    read = config_map("default", "one", uid="1", resourceVersion="1")
    return [
        lambda: cluster.get(key_of(read)),
        lambda: cluster.list(CONFIG_MAP),
        lambda: cluster.create(config_map("default", "one")),
        lambda: cluster.replace(read),
        lambda: cluster.delete(read),
        lambda: cluster.patch_status(read, {}),
        lambda: cluster.record_event(read, type_="Normal", reason="Seen", message="one"),
    ]


async def test_every_method_raises_unavailable_while_the_api_server_is_away(lost_cluster: Cluster) -> None:
    for method in _every_method(lost_cluster):
        with pytest.raises(ClusterUnavailable):
            await method()
