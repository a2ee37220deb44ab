"""The plugin as it is called, its API server, and objects of the demo."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conecta_cli.__main__ import main
from conecta_operator.api.objects import Manifest
from tests.unit.cli.stand_in import ApiServer, served


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """An empty API server."""
    api_server = ApiServer()
    with served(api_server.answer) as url:
        api_server.url = url
        yield api_server


@pytest.fixture
def kubeconfig(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """How to reach it as `ana`, in namespace `saude`."""
    contexts = {"here": ("ana", "saude"), "elsewhere": ("ana", "fazenda"), "other": ("rui", "justica")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}} for name in ("ana", "rui")],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": user, "namespace": namespace}}
            for name, (user, namespace) in contexts.items()
        ],
        "current-context": "here",
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.delenv("CONECTA_CA", raising=False)
    return file


@pytest.fixture
def run(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - the plugin reads it
    """Run a command, given as it is typed after `kubectl conecta`."""

    def ran(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        shown = capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    return ran


@pytest.fixture
def grant(server: ApiServer) -> Manifest:
    """A request that nobody has decided on, in the API server."""
    return server.put("conectagrants", a_grant())


def a_grant(name: str = "agendamento-cep", namespace: str = "saude") -> Manifest:
    """A request on `receita/cep` as the API server returns it."""
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaGrant",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-of-{name}",
            "generation": 1,
            "creationTimestamp": "2026-11-20T12:00:00Z",
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {
            "apiRef": {"namespace": "receita", "name": "cep"},
            "application": {"name": "agendamento", "description": "Agenda consultas."},
            "plan": "básico",
            "purpose": "Conferir endereços.",
            "sourceRanges": ["203.0.113.0/24"],
            "validUntil": "2028-01-01T00:00:00-03:00",
        },
    }
