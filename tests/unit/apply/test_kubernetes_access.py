"""How KubernetesCluster finds the API server, and who it is there."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from kubernetes.aio.config import incluster_config

from conecta_operator.api.objects import CONFIG_MAP, ObjectKey
from conecta_operator.apply import kubernetes
from conecta_operator.apply.access import ApiServer
from conecta_operator.apply.kubernetes import KubernetesCluster
from conecta_operator.errors import ClusterUnavailable
from tests.unit.apply.conftest import ScriptedServer, shown
from tests.unit.apply.test_kubernetes_answers import kubeconfig

KEY = ObjectKey(CONFIG_MAP, "receita", "one")


def _with_token_file(path: Path, token_file: Path) -> None:
    content = yaml.safe_load(path.read_text())
    content["users"][0]["user"] = {"tokenFile": str(token_file)}
    path.write_text(yaml.safe_dump(content))


@pytest.fixture
def path(server: ScriptedServer, tmp_path: Path) -> Path:
    """A kubeconfig whose token is in the file `token` beside it."""
    server.says(200, {"metadata": {}})
    config = kubeconfig(tmp_path, server.url)
    (tmp_path / "token").write_text("first\n")
    _with_token_file(config, tmp_path / "token")
    return config


def _tokens(server: ScriptedServer) -> list[str]:
    return [request.headers["Authorization"] for request in server.requests]


async def test_the_variable_kubeconfig_names_the_file(
    server: ScriptedServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(path))
    async with KubernetesCluster() as cluster:
        await cluster.get(KEY)
    assert _tokens(server) == ["Bearer first"]


async def test_a_token_file_is_read_again_after_a_refusal(server: ScriptedServer, path: Path) -> None:
    server.answers.insert(0, (401, ""))
    async with KubernetesCluster(str(path)) as cluster:
        path.with_name("token").write_text("second\n")
        with pytest.raises(ClusterUnavailable):
            await cluster.get(KEY)
        await cluster.get(KEY)
        await cluster.get(KEY)
    assert _tokens(server) == ["Bearer first", "Bearer second", "Bearer second"]


async def test_a_token_file_is_read_again_when_it_is_old(
    server: ScriptedServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with KubernetesCluster(str(path)) as cluster:
        path.with_name("token").write_text("second\n")
        await cluster.get(KEY)
        monkeypatch.setattr(kubernetes, "_REREAD_AFTER", timedelta(0))
        await cluster.get(KEY)
    assert _tokens(server) == ["Bearer first", "Bearer second"]


async def test_a_missing_token_file_is_read_again_until_it_is_there(server: ScriptedServer, path: Path) -> None:
    server.answers.insert(0, (401, ""))
    async with KubernetesCluster(str(path)) as cluster:
        path.with_name("token").unlink()
        for _ in range(2):
            with pytest.raises(ClusterUnavailable):
                await cluster.get(KEY)
        path.with_name("token").write_text("second\n")
        await cluster.get(KEY)
    assert _tokens(server) == ["Bearer first", "Bearer second"]


async def test_a_pod_uses_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    loader = incluster_config.InClusterConfigLoader
    (tmp_path / "token").write_text("of-the-pod\n")
    (tmp_path / "ca.crt").write_text("-")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    monkeypatch.setattr(loader.__init__, "__defaults__", (True, environment))
    access = kubernetes._Access(None)
    await access.read()
    assert access.authorization == {"Authorization": "bearer of-the-pod"}
    assert access.api_server == ApiServer(
        url="https://[fd00::1]:6443",
        ca_file=str(tmp_path / "ca.crt"),
        token="of-the-pod",
        certificate_file=None,
        private_key_file=None,
        proxy=None,
        is_unverified=False,
    )


async def test_others_can_connect_as_we_do(server: ScriptedServer, path: Path) -> None:
    async with KubernetesCluster(str(path)) as cluster:
        path.with_name("token").write_text("second\n")
        api_server = await cluster.api_server()
    assert (api_server.url, api_server.token) == (server.url, "second")
    assert "second" not in repr(api_server)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file"),
        pytest.param("current-context: nowhere\ncontexts: []\n", id="no context"),
        pytest.param("users: [{token: a-hidden-token}\n  -", id="no YAML"),
    ],
)
async def test_without_access_there_is_no_cluster_and_no_token_is_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ClusterUnavailable, match="no access to the API server") as raised:
        await KubernetesCluster(str(path)).__aenter__()
    assert "a-hidden-token" not in shown(raised.value, caplog)


async def test_outside_of_a_pod_and_without_kubeconfig_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ClusterUnavailable, match="service account"):
        await KubernetesCluster().__aenter__()


async def test_an_authority_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://localhost:1")
    content = yaml.safe_load(path.read_text())
    (tmp_path / "ca.crt").write_text("no certificate")
    content["clusters"][0]["cluster"]["certificate-authority"] = str(tmp_path / "ca.crt")
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ClusterUnavailable, match="certificates"):
        await KubernetesCluster(str(path)).__aenter__()


async def test_proxies_of_the_environment_are_not_asked(
    server: ScriptedServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with KubernetesCluster(str(path)) as cluster:
        await cluster.get(KEY)
    assert len(server.requests) == 1
