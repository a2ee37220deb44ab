"""The API server is reached as kubectl reaches it, and what fails costs one line, never a traceback."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from conecta_operator.api.objects import Manifest
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ApiServer

pytestmark = pytest.mark.usefixtures("grant")


def edit(kubeconfig: Path, change: Any) -> None:
    document = yaml.safe_load(kubeconfig.read_text())
    change(document)
    kubeconfig.write_text(yaml.safe_dump(document))


def one_line(error: str) -> str:
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_the_caller_is_who_the_kubeconfig_says(run: Run, server: ApiServer) -> None:
    assert run("why", "agendamento-cep").code == 0
    assert server.requests[0].header("authorization") == ["Bearer token-of-ana"]
    assert server.requests[0].header("impersonate-user") == []


def test_the_namespace_is_that_of_the_context_unless_another_is_named(run: Run, server: ApiServer) -> None:
    run("why", "x", "--context", "other")
    run("why", "x", "-n", "defesa")
    run("why", "fazenda/x")
    assert [request.path.split("/")[5] for request in server.requests] == ["justica", "defesa", "fazenda"]
    assert server.requests[0].header("authorization") == ["Bearer token-of-rui"]


def test_a_kubeconfig_by_option_goes_before_the_variable(
    run: Run, server: ApiServer, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    assert run("why", "agendamento-cep", "--kubeconfig", str(kubeconfig)).code == 0
    assert len(server.requests) == 5


def test_users_are_impersonated_with_all_their_groups(run: Run, server: ApiServer) -> None:
    run("why", "agendamento-cep", "--as", "maria", "--as-group", "conecta:receita:providers", "--as-group", "g")
    assert server.requests[0].header("impersonate-user") == ["maria"]
    assert server.requests[0].header("impersonate-group") == ["conecta:receita:providers", "g"]


def test_a_kubeconfig_that_impersonates_is_obeyed(run: Run, server: ApiServer, kubeconfig: Path) -> None:
    """To ignore it would be to act with more rights than kubectl would."""
    edit(kubeconfig, lambda k: k["users"][0]["user"].update({"as": "maria", "as-uid": "7", "as-groups": ["a", "b"]}))
    run("why", "agendamento-cep")
    assert server.requests[0].header("impersonate-user") == ["maria"]
    assert server.requests[0].header("impersonate-uid") == ["7"]
    assert server.requests[0].header("impersonate-group") == ["a", "b"]
    run("why", "agendamento-cep", "--as", "rui")
    assert server.requests[-1].header("impersonate-user") == ["rui"]
    assert server.requests[-1].header("impersonate-group") == []


def test_certificates_of_no_use_cost_one_line(run: Run, kubeconfig: Path) -> None:
    rubbish = base64.b64encode(b"rubbish").decode()

    def change(document: Manifest) -> None:
        document["clusters"][0]["cluster"] = {
            "server": "https://localhost:1",
            "certificate-authority-data": rubbish,
        }

    edit(kubeconfig, change)
    ran = run("grants")
    assert ran.code == 1
    one_line(ran.err)


@pytest.mark.parametrize(
    "content",
    ["", "- a list", "{", "current-context: none\ncontexts: []\nclusters: []\nusers: []", "contexts: 7", "a: b"],
)
def test_a_kubeconfig_of_no_use_costs_one_line(run: Run, kubeconfig: Path, content: str) -> None:
    kubeconfig.write_text(content)
    ran = run("grants")
    assert (ran.code, ran.out) == (1, "")
    one_line(ran.err)


def test_no_kubeconfig_at_all_costs_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    assert (
        one_line(run("grants").err) == "error: there is no kubeconfig /nowhere: set KUBECONFIG, or use --kubeconfig\n"
    )
    assert one_line(run("grants", "--kubeconfig", "/none").err) == "error: there is no kubeconfig /none\n"


def test_an_unknown_context_costs_one_line(run: Run) -> None:
    assert "nowhere" in one_line(run("grants", "--context", "nowhere").err)


def test_an_api_server_that_is_away_is_named(run: Run, kubeconfig: Path) -> None:
    edit(kubeconfig, lambda document: document["clusters"][0]["cluster"].update(server="http://localhost:1"))
    ran = run("grants")
    assert ran.code == 1
    assert one_line(ran.err).startswith("error: no answer from the API server http://localhost:1: ")


def test_an_object_that_does_not_exist_is_named(run: Run) -> None:
    for command in (["why"], ["approve"], ["deny", "--message", "m"], ["suspend"], ["rotate"], ["token"]):
        ran = run(command[0], "none", *command[1:])
        assert (ran.code, ran.out) == (1, "")
        assert one_line(ran.err) == 'error: the API server says NotFound: conectagrants "none" not found\n'


@pytest.mark.parametrize("command", [["approve"], ["deny", "--message", "m"], ["suspend"], ["rotate", "--now"]])
def test_missing_rights_are_told_in_the_servers_words(
    run: Run, server: ApiServer, grant: Manifest, command: list[str]
) -> None:
    grant["status"] = {"keys": [{"clientId": "k", "state": "Active"}]}
    server.refused = {("patch", "conectagrants", "saude")}
    ran = run(command[0], "agendamento-cep", *command[1:])
    assert (ran.code, ran.out) == (1, "")
    assert one_line(ran.err).startswith(
        'error: the API server says Forbidden: conectagrants "agendamento-cep" is forbidden'
    )


@pytest.mark.parametrize(
    ("status", "content", "shown"),
    [
        (404, "404 page not found\n", "NotFound: it answers 404 to /apis/conecta.gov.br/v1alpha1/conectagrants"),
        (
            401,
            {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"},
            "says Unauthorized: Unauthorized",
        ),
        (500, "boom", "says InternalServerError: it answers 500"),
        (599, "boom", "says 599: it answers 599"),
        (302, "", "says Found: it answers 302"),
        (200, "<html>a proxy</html>", "answers, but not as an API server does"),
        (200, "[]", "answers, but not as an API server does"),
        (
            422,
            {"kind": "Status", "reason": "Invalid", "message": "status.approval.by\nmust be who decides"},
            "says Invalid: status.approval.by must be who decides",
        ),
    ],
)
def test_an_answer_that_is_no_object_costs_one_line(
    run: Run, server: ApiServer, status: int, content: Any, shown: str
) -> None:
    server.raw = status, content
    ran = run("grants")
    assert (ran.code, ran.out) == (1, "")
    assert shown in one_line(ran.err)


def test_a_cluster_without_conecta_is_told(run: Run, server: ApiServer) -> None:
    server.raw = 404, "404 page not found\n"
    assert "is Conecta installed in this cluster?" in run("grants").err


def test_a_bug_of_ours_costs_one_line_that_says_where(run: Run, server: ApiServer) -> None:
    server.raw = 200, {"items": [{"metadata": {}, "spec": "a secret"}]}
    ran = run("grants")
    assert ran.code == 1
    assert "a bug in kubectl conecta: " in one_line(ran.err)
    assert "secret" not in ran.err


def test_an_interruption_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("conecta_cli.__main__.access", interrupt)
    ran = run("grants")
    assert (ran.code, ran.err) == (130, "error: interrupted\n")
