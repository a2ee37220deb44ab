"""What KubernetesCluster makes of each answer that an API server, or something in its place, can give."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from conecta_operator.api.objects import CONFIG_MAP, SECRET, ObjectKey
from conecta_operator.apply.kubernetes import KubernetesCluster
from conecta_operator.errors import ClusterUnavailable, Conflict, OperatorError, Rejected
from tests.unit.apply.conftest import ScriptedServer, shown

MANIFEST = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"namespace": "receita", "name": "one", "uid": "u", "resourceVersion": "7"},
}
PASSWORD = "c2VuaGEtbXVpdG8tc2VjcmV0YQ"
SECRET_MANIFEST = MANIFEST | {"kind": "Secret", "data": {"client-secret": PASSWORD}}
KEY = ObjectKey(CONFIG_MAP, "receita", "one")
Method = Callable[[KubernetesCluster], Awaitable[object]]
WRITES: dict[str, Method] = {
    "create": lambda cluster: cluster.create(MANIFEST),
    "replace": lambda cluster: cluster.replace(MANIFEST),
    "delete": lambda cluster: cluster.delete(MANIFEST),
    "patch_status": lambda cluster: cluster.patch_status(MANIFEST, {"a": 1}),
    "record_event": lambda cluster: cluster.record_event(MANIFEST, type_="Normal", reason="Seen", message="one"),
}
METHODS: dict[str, Method] = {
    "get": lambda cluster: cluster.get(KEY),
    "list": lambda cluster: cluster.list(CONFIG_MAP),
    **WRITES,
}


def kubeconfig(folder: Path, server: str) -> Path:
    """A kubeconfig for a server, as nobody in particular."""
    path = folder / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": "us", "user": {"token": "a-token"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "us"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
async def cluster(server: ScriptedServer, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    path = kubeconfig(tmp_path, server.url)
    async with KubernetesCluster(str(path), time_limit=timedelta(seconds=5)) as connected:
        yield connected


def status(code: int, message: str = "", **more: Any) -> dict[str, Any]:
    """A Status as API servers give it."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "message": message, "code": code, **more}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, Rejected) for code in (400, 413, 415, 422)),
        (409, Conflict),
        *((code, ClusterUnavailable) for code in (401, 403, 404, 405, 408, 410, 429, 500, 502, 503, 504)),
    ],
)
async def test_each_status_is_one_error_of_ours_with_the_servers_message(
    server: ScriptedServer, cluster: KubernetesCluster, code: int, error: type[OperatorError]
) -> None:
    server.says(code, status(code, "the server's own words"))
    for method in METHODS.values():
        with pytest.raises(error, match=f"{code} the server's own words"):
            await method(cluster)


@pytest.mark.parametrize(
    "content", ["<html>login</html>", "", "[1]", '"text"', "null", '{"metadata": 1}', b"\xff\xfe{"]
)
@pytest.mark.parametrize("code", [200, 500])
async def test_an_answer_that_is_no_object_is_the_clusters_fault(
    server: ScriptedServer, cluster: KubernetesCluster, code: int, content: str | bytes
) -> None:
    server.says(code, content)
    for method in METHODS.values():
        with pytest.raises(ClusterUnavailable):
            await method(cluster)


@pytest.mark.parametrize("hangs", ["before", "within"])
async def test_no_request_waits_longer_than_its_time_limit(server: ScriptedServer, tmp_path: Path, hangs: str) -> None:
    server.hangs = hangs
    path = kubeconfig(tmp_path, server.url)
    async with KubernetesCluster(str(path), time_limit=timedelta(milliseconds=50)) as cluster:
        for method in METHODS.values():
            with pytest.raises(ClusterUnavailable, match="time limit"):
                await method(cluster)


@pytest.mark.parametrize(
    "absent",
    [
        pytest.param("404 page not found", id="the kind is not served"),
        pytest.param(status(404, "the server could not find the requested resource", details={}), id="no subresource"),
        pytest.param(status(404, details={"name": "receita", "kind": "namespaces"}), id="another object is missing"),
    ],
)
async def test_only_a_404_about_the_object_says_that_it_is_absent(
    server: ScriptedServer, cluster: KubernetesCluster, absent: object
) -> None:
    server.says(404, absent)
    for method in METHODS.values():
        with pytest.raises(ClusterUnavailable):
            await method(cluster)


async def test_a_404_about_the_object_is_absence(server: ScriptedServer, cluster: KubernetesCluster) -> None:
    server.says(404, status(404, details={"name": "one", "kind": "configmaps"}))
    assert await cluster.get(KEY) is None
    await cluster.delete(MANIFEST)
    for method in (WRITES["replace"], WRITES["patch_status"]):
        with pytest.raises(Conflict, match="gone"):
            await method(cluster)


@pytest.mark.parametrize("code", [400, 403, 409, 422, 500])
@pytest.mark.parametrize(
    "report",
    [
        pytest.param(status(0, "ECHO"), id="in the message"),
        pytest.param(status(0, reason="ECHO"), id="in the reason"),
        pytest.param(
            status(0, details={"causes": [{"field": "data[a]", "message": "ECHO"}]}), id="in a cause's message"
        ),
        pytest.param("ECHO", id="bare"),
    ],
)
async def test_no_secret_is_ever_shown_even_if_the_answer_cites_it(
    server: ScriptedServer, cluster: KubernetesCluster, caplog: pytest.LogCaptureFixture, code: int, report: object
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says(code, report)
    for write in (cluster.create, cluster.replace):
        with pytest.raises(OperatorError) as raised:
            await write(SECRET_MANIFEST)
        assert PASSWORD in server.requests[-1].body
        assert PASSWORD not in shown(raised.value, caplog)


async def test_of_a_refused_secret_reason_and_fields_are_shown(
    server: ScriptedServer, cluster: KubernetesCluster
) -> None:
    causes = [{"field": "type", "message": "no"}, {"field": "data[a b]", "message": "no"}]
    server.says(422, status(422, "no", reason="Invalid", details={"causes": causes}))
    with pytest.raises(Rejected, match=r"create secrets receita/one: .* 422 Invalid data\[a b\], type$"):
        await cluster.create(SECRET_MANIFEST)


async def test_no_secret_is_shown_when_a_read_fails(
    server: ScriptedServer, cluster: KubernetesCluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says(200, f'{{"metadata": {{}}, "data": {{"client-secret": "{PASSWORD}')
    for read in (cluster.get(ObjectKey(SECRET, "receita", "one")), cluster.list(SECRET)):
        with pytest.raises(ClusterUnavailable) as raised:
            await read
        assert PASSWORD not in shown(raised.value, caplog)
