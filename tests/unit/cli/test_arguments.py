"""What is typed is understood as it is meant, or refused in one line with exit code 2."""

import pytest

from conecta_cli.arguments import Decide, GrantName, Grants, Rotate, Suspend, Token, Why, parse
from conecta_cli.errors import UsageError
from conecta_cli.output.formats import Output
from conecta_operator.api.approvals import Decision
from tests.unit.cli.conftest import Run

A_GRANT = GrantName(None, "agendamento-cep")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("grants", Grants(everywhere=True, api=None, pending=False)),
        ("grants -A", Grants(everywhere=True, api=None, pending=False)),
        ("grants -n saude", Grants(everywhere=False, api=None, pending=False)),
        ("grants -n saude -A", Grants(everywhere=True, api=None, pending=False)),
        ("grants --api receita/cep --pending", Grants(everywhere=True, api=("receita", "cep"), pending=True)),
        ("approve agendamento-cep", Decide(A_GRANT, Decision.APPROVED, None)),
        ("approve agendamento-cep --message Ok", Decide(A_GRANT, Decision.APPROVED, "Ok")),
        ("deny agendamento-cep --message No", Decide(A_GRANT, Decision.DENIED, "No")),
        ("revoke agendamento-cep --message=No", Decide(A_GRANT, Decision.REVOKED, "No")),
        ("suspend agendamento-cep", Suspend(A_GRANT, suspended=True)),
        ("resume agendamento-cep", Suspend(A_GRANT, suspended=False)),
        ("rotate agendamento-cep", Rotate(A_GRANT, now=False, timeout=60)),
        ("rotate agendamento-cep --now --timeout 2m", Rotate(A_GRANT, now=True, timeout=120)),
        ("why agendamento-cep", Why(A_GRANT)),
        ("token agendamento-cep", Token(A_GRANT, "/ca.pem", quiet=False)),
        ("token agendamento-cep --ca-file x.pem --quiet", Token(A_GRANT, "x.pem", quiet=True)),
    ],
)
def test_a_command(typed: str, meant: object) -> None:
    assert parse(typed.split(), {"CONECTA_CA": "/ca.pem"}).command == meant


def test_without_a_ca_the_systems_are_trusted() -> None:
    command = parse(["token", "x"], {"CONECTA_CA": ""}).command
    assert isinstance(command, Token)
    assert command.ca_file is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cep", GrantName(None, "cep")),
        ("saude/cep", GrantName("saude", "cep")),
        ("conectagrant/cep", GrantName(None, "cep")),
        ("cngrant/cep", GrantName(None, "cep")),
        ("conectagrants.conecta.gov.br/cep", GrantName(None, "cep")),
        ("conectagrant.conecta.gov.br/saude/cep", GrantName("saude", "cep")),
    ],
)
def test_a_grant_is_named_as_it_is_printed(typed: str, meant: GrantName) -> None:
    assert parse(["why", typed]).command == Why(meant)


def test_options_are_those_of_kubectl() -> None:
    typed = "why x --kubeconfig f --context c -n saude --as ana --as-group a --as-group b --request-timeout 5 -o yaml"
    options = parse(typed.split()).options
    assert (options.kubeconfig, options.context, options.namespace) == ("f", "c", "saude")
    assert (options.impersonate, options.impersonate_groups) == ("ana", ("a", "b"))
    assert (options.request_timeout, options.output) == (5, Output.YAML)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no-such-command",
        "approve",
        "approve x y",
        "deny x",
        "revoke x",
        "grants --api cep",
        "grants --api receita/",
        "why ..",
        "why a/b/c",
        "why A",
        "why /x",
        "why conectagrant/",
        "why secret/saude/x",
        "why x -n UPPER",
        "why x -n a.b",
        "why x -o wide",
        "token x -o name",
        "rotate x --timeout 0",
        "rotate x --timeout soon",
        "why x --as-group a",
        "why x --pend",
    ],
)
def test_what_makes_no_sense_costs_one_line_and_exit_code_2(typed: str, run: Run) -> None:
    ran = run(*typed.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


def test_two_namespaces_for_one_grant_make_no_sense(run: Run) -> None:
    ran = run("why", "saude/x", "-n", "receita")
    assert (ran.code, ran.err) == (2, "error: the grant is named with namespace saude, and --namespace says receita\n")


@pytest.mark.parametrize(
    "command", ["", "grants", "approve", "deny", "revoke", "suspend", "resume", "rotate", "why", "token"]
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*command.split(), "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: kubectl conecta")


def test_messages_of_usage_errors_name_the_help() -> None:
    with pytest.raises(UsageError, match=r"required: --message \(see kubectl conecta deny --help\)"):
        parse(["deny", "x"])
