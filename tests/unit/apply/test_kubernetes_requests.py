"""What KubernetesCluster sends."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conecta_operator.api.objects import CONFIG_MAP, NAMESPACE, SECRET, SECURITY_POLICY, ObjectKey
from conecta_operator.apply import kubernetes
from conecta_operator.apply.kubernetes import KubernetesCluster
from conecta_operator.errors import ClusterUnavailable, Rejected
from tests.unit.apply.conftest import ScriptedServer
from tests.unit.apply.test_kubernetes_answers import kubeconfig

WRITTEN_BY_US = {"fieldManager": "conecta-operator", "fieldValidation": "Strict"}
POLICY: dict[str, Any] = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "SecurityPolicy",
    "metadata": {"namespace": "receita", "name": "cep", "uid": "u", "resourceVersion": "7"},
    "spec": {"jwt": {"optional": False}},
}
FOLDER = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/receita/securitypolicies"


@pytest.fixture
async def cluster(server: ScriptedServer, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    server.says(200, {"metadata": {}})
    async with KubernetesCluster(str(kubeconfig(tmp_path, server.url)), page_size=3) as connected:
        yield connected


async def test_a_create_posts_the_manifest_strictly_under_our_name(
    server: ScriptedServer, cluster: KubernetesCluster
) -> None:
    await cluster.create(POLICY)
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("POST", FOLDER, WRITTEN_BY_US)
    assert request.headers["Content-Type"] == "application/json"
    assert request.json == POLICY


async def test_a_replace_puts_the_manifest_strictly_under_our_name(
    server: ScriptedServer, cluster: KubernetesCluster
) -> None:
    await cluster.replace(POLICY)
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("PUT", f"{FOLDER}/cep", WRITTEN_BY_US)
    assert request.json == POLICY


async def test_a_delete_is_bound_to_the_uid(server: ScriptedServer, cluster: KubernetesCluster) -> None:
    await cluster.delete(POLICY)
    (request,) = server.requests
    assert (request.method, request.path) == ("DELETE", f"{FOLDER}/cep")
    assert request.json["preconditions"] == {"uid": "u"}
    assert request.json["propagationPolicy"] == "Background"


async def test_a_status_patch_is_a_merge_patch_bound_to_the_version(
    server: ScriptedServer, cluster: KubernetesCluster
) -> None:
    await cluster.patch_status(POLICY, {"url": None})
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("PATCH", f"{FOLDER}/cep/status", WRITTEN_BY_US)
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.json == {"metadata": {"resourceVersion": "7"}, "status": {"url": None}}


async def test_a_list_goes_from_page_to_page(server: ScriptedServer, cluster: KubernetesCluster) -> None:
    server.now_says(200, {"metadata": {"continue": "a/b=="}, "items": [{"metadata": {"name": "one"}}]})
    server.says(200, {"metadata": {"continue": ""}, "items": [{"metadata": {"name": "two"}}]})
    found = await cluster.list(SECURITY_POLICY, namespace="receita", labels={"b": "2", "a": "1"})
    assert [(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in found] == [
        ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", "one"),
        ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", "two"),
    ]
    first, second = server.requests
    assert (first.path, first.query) == (FOLDER, {"limit": "3", "labelSelector": "a=1,b=2"})
    assert second.query == {**first.query, "continue": "a/b=="}


async def test_a_list_may_have_no_items(server: ScriptedServer, cluster: KubernetesCluster) -> None:
    server.now_says(200, {"metadata": {}, "items": None})
    assert await cluster.list(NAMESPACE) == []
    assert server.requests[0].path == "/api/v1/namespaces"


async def test_an_event_lies_with_its_object_and_is_cut_to_what_the_api_takes(
    server: ScriptedServer, cluster: KubernetesCluster
) -> None:
    await cluster.record_event(POLICY, type_="Warning", reason="Conflicted", message="a" + "ç" * 600)
    (request,) = server.requests
    assert request.path == "/apis/events.k8s.io/v1/namespaces/receita/events"
    event = request.json
    assert event["note"] == "a" + "ç" * 511
    assert event["reportingController"] == "conecta-operator"
    assert (event["type"], event["reason"]) == ("Warning", "Conflicted")
    assert event["regarding"] == {
        "apiVersion": POLICY["apiVersion"],
        "kind": POLICY["kind"],
        **POLICY["metadata"],
    }


async def test_an_event_about_what_has_no_namespace_lies_in_default(
    server: ScriptedServer, cluster: KubernetesCluster
) -> None:
    about = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "receita"}}
    await cluster.record_event(about, type_="Normal", reason="Seen", message="one")
    assert server.requests[0].path == "/apis/events.k8s.io/v1/namespaces/default/events"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../secrets/a", "a%2Fb"])
async def test_no_name_leads_out_of_its_place(server: ScriptedServer, cluster: KubernetesCluster, name: str) -> None:
    for key in (ObjectKey(CONFIG_MAP, "receita", name), ObjectKey(CONFIG_MAP, name or "..", "one")):
        assert await cluster.get(key) is None
    with pytest.raises(Rejected):
        await cluster.delete({**POLICY, "metadata": {**POLICY["metadata"], "name": name}})
    assert server.requests == []


async def test_odd_characters_in_a_name_are_escaped(server: ScriptedServer, cluster: KubernetesCluster) -> None:
    await cluster.get(ObjectKey(CONFIG_MAP, "receita", "a b?c#dé"))
    assert server.requests[0].path == "/api/v1/namespaces/receita/configmaps/a%20b%3Fc%23d%C3%A9"


METADATA = {"kind": "PartialObjectMetadata", "metadata": {"name": "key", "resourceVersion": "8"}}
EVENT = {"type": "MODIFIED", "object": METADATA}
BOOKMARK = {"type": "BOOKMARK", "object": {"kind": "PartialObjectMetadata", "metadata": {"resourceVersion": "9"}}}
TOO_OLD = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def stream(*events: object) -> str:
    return "".join(f"{json.dumps(event)}\n" for event in events)


async def test_a_watch_asks_for_metadata_only_and_goes_on_where_the_last_one_ended(
    server: ScriptedServer, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "_SHORTEST_STREAM", 0.0)
    server.now_says(200, {"metadata": {"resourceVersion": "7"}, "items": []})
    assert await cluster.version(SECRET, namespace="saude") == "7"
    server.now_says(200, stream(EVENT, BOOKMARK))
    server.says(200, stream(TOO_OLD))
    seen = [each async for each in cluster.changes(SECRET, namespace="saude", since="7")]
    assert seen == [("MODIFIED", METADATA | {"apiVersion": "v1", "kind": "Secret"})]
    listed, *watched = server.requests
    assert listed.headers["Accept"] == METADATA_ONLY.replace("Metadata;", "MetadataList;")
    assert {request.headers["Accept"] for request in watched} == {METADATA_ONLY}
    assert listed.query == {"limit": "1"}
    assert [request.query["resourceVersion"] for request in watched] == ["7", "9"]
    assert {request.query["watch"] for request in watched} == {"true"}
    assert {request.query["allowWatchBookmarks"] for request in watched} == {"true"}


async def test_a_watch_that_ends_at_once_is_not_begun_anew(server: ScriptedServer, cluster: KubernetesCluster) -> None:
    server.now_says(200, stream(EVENT))
    assert len([each async for each in cluster.changes(SECRET, namespace="saude", since="7")]) == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "content"),
    [
        pytest.param(403, {"kind": "Status", "message": "no"}, id="a refusal"),
        pytest.param(200, "no JSON\n", id="what is no event"),
        pytest.param(200, '{"type": "ADDED"}\n', id="an event without object"),
    ],
)
async def test_a_watch_that_fails_says_so(
    server: ScriptedServer, cluster: KubernetesCluster, status: int, content: object
) -> None:
    server.now_says(status, content)
    with pytest.raises(ClusterUnavailable, match="watch secrets"):
        [each async for each in cluster.changes(SECRET, namespace="saude", since="7")]
