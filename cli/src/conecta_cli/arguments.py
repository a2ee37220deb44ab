"""What was typed, as values. Nothing is read and nothing is looked up here, and mistakes cost one line."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Never

from typing_extensions import override

from conecta_cli.errors import UsageError
from conecta_cli.output.formats import Output
from conecta_operator.api.approvals import Decision

__all__ = [
    "Command",
    "Decide",
    "GrantName",
    "Grants",
    "Invocation",
    "Options",
    "Rotate",
    "Suspend",
    "Token",
    "Why",
    "parse",
]

PROGRAM: Final = "kubectl conecta"
_NAME: Final = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_KINDS: Final = frozenset({"conectagrant", "conectagrants", "cngrant", "cngrants"})
_GRANT_HELP: Final = "NAME, or NAMESPACE/NAME"


@dataclass(frozen=True)
class GrantName:
    """A grant as it was typed; without a namespace it is that of the options or of the context."""

    namespace: str | None
    name: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is the same for every command, by the names that kubectl gives it."""

    kubeconfig: str | None
    context: str | None
    namespace: str | None
    impersonate: str | None
    impersonate_groups: tuple[str, ...]
    request_timeout: float
    output: Output


@dataclass(frozen=True)
class Grants:
    """List grants. `api` is namespace and name."""

    everywhere: bool
    api: tuple[str, str] | None
    pending: bool


@dataclass(frozen=True)
class Decide:
    """Approve, deny or revoke."""

    grant: GrantName
    decision: Decision
    message: str | None


@dataclass(frozen=True)
class Suspend:
    """Stop access for a while, or let it go on."""

    grant: GrantName
    suspended: bool


@dataclass(frozen=True)
class Rotate:
    """Replace the key; `now` ends the old one at once."""

    grant: GrantName
    now: bool
    timeout: float


@dataclass(frozen=True)
class Why:
    """Explain what a grant waits for."""

    grant: GrantName


@dataclass(frozen=True)
class Token:
    """Get an access token. `ca_file` is None for the certificate authorities of the system."""

    grant: GrantName
    ca_file: str | None
    quiet: bool


Command = Grants | Decide | Suspend | Rotate | Why | Token


@dataclass(frozen=True)
class Invocation:
    """All that was typed."""

    options: Options
    command: Command


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Invocation:
    """What the arguments mean. Raises UsageError; for `--help` it prints and ends the program, as argparse does."""
    typed = _parser().parse_args(arguments)
    options = Options(
        kubeconfig=typed.kubeconfig,
        context=typed.context,
        namespace=typed.namespace,
        impersonate=typed.impersonate,
        impersonate_groups=tuple(typed.impersonate_groups),
        request_timeout=typed.request_timeout,
        output=Output(typed.output),
    )
    if options.impersonate_groups and options.impersonate is None:
        raise UsageError("--as-group is of use only together with --as")
    return Invocation(options, _command(typed, environment))


def _command(typed: argparse.Namespace, environment: Mapping[str, str]) -> Command:
    match typed.command:
        case "grants":
            everywhere = typed.all_namespaces or typed.namespace is None
            return Grants(everywhere, typed.api, typed.pending)
        case "approve" | "deny" | "revoke":
            return Decide(typed.grant, _DECISIONS[typed.command], typed.message)
        case "suspend" | "resume":
            return Suspend(typed.grant, suspended=typed.command == "suspend")
        case "rotate":
            return Rotate(typed.grant, typed.now, typed.timeout)
        case "token":
            return Token(typed.grant, typed.ca_file or environment.get("CONECTA_CA") or None, typed.quiet)
        case _:
            return Why(typed.grant)


_DECISIONS: Final = {"approve": Decision.APPROVED, "deny": Decision.DENIED, "revoke": Decision.REVOKED}


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> Never:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="Grants of Conecta: who asks for access, who has it, and why something doesn't work. "
        "Everything is done with your own rights in the cluster.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    grants = _add(commands, "grants", "list the grants of all namespaces that you may see")
    grants.add_argument("-A", "--all-namespaces", action="store_true", help="all namespaces: so without -n, too")
    grants.add_argument("--api", type=_api, metavar="NAMESPACE/NAME", help="only grants for this ConectaApi")
    grants.add_argument("--pending", action="store_true", help="only grants that wait for a provider's decision")

    approve = _add_for_grant(commands, "approve", "give a grant the access that it asks for now")
    approve.add_argument("--message", help="what the receiver is told")
    deny = _add_for_grant(commands, "deny", "refuse a request")
    deny.add_argument("--message", required=True, help="why; the receiver reads it")
    revoke = _add_for_grant(commands, "revoke", "end the access of an approved grant, within seconds")
    revoke.add_argument("--message", required=True, help="why; the receiver reads it")

    _add_for_grant(commands, "suspend", "stop a grant's access within seconds; its key is kept")
    _add_for_grant(commands, "resume", "let a suspended grant go on, with the same key")

    rotate = _add_for_grant(
        commands, "rotate", "replace a grant's key; the old one works on for spec.credential.overlap"
    )
    rotate.add_argument(
        "--now", action="store_true", help="the key has leaked: end all old ones at once, and wait for it"
    )
    rotate.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="DURATION", help="how long --now waits (default: 60s)"
    )

    _add_for_grant(commands, "why", "say what keeps a grant from working, and who can mend it")

    token = _add_for_grant(commands, "token", "get an access token with a grant's key, to try with", formats=_VALUES)
    token.add_argument(
        "--ca-file", metavar="FILE", help="certificate authorities (PEM) of the gateway; else $CONECTA_CA"
    )
    token.add_argument("--quiet", action="store_true", help="don't print the token, only say whether there is one")
    return parser


_Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse has no other name for what add_subparsers returns
_ALL: Final = ("json", "yaml", "name")
_VALUES: Final = ("json", "yaml")


def _add_for_grant(
    commands: "_Subparsers[_Parser]", name: str, text: str, formats: Sequence[str] = _ALL
) -> argparse.ArgumentParser:
    command = _add(commands, name, text, formats)
    command.add_argument("grant", type=_grant, metavar="GRANT", help=_GRANT_HELP)
    return command


def _add(
    commands: "_Subparsers[_Parser]", name: str, text: str, formats: Sequence[str] = _ALL
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    command.add_argument("-n", "--namespace", type=_namespace, help="namespace (default: the context's)")
    command.add_argument(
        "-o", "--output", choices=formats, default=Output.TABLE, metavar="|".join(formats), help="for programs"
    )
    command.add_argument("--kubeconfig", metavar="FILE", help="else $KUBECONFIG, or ~/.kube/config")
    command.add_argument("--context", help="context of the kubeconfig (default: the current one)")
    command.add_argument("--as", dest="impersonate", metavar="USER", help="impersonate a user")
    command.add_argument(
        "--as-group",
        dest="impersonate_groups",
        action="append",
        default=[],
        metavar="GROUP",
        help="impersonate a group, too; may be repeated",
    )
    command.add_argument(
        "--request-timeout", type=_seconds, default=30.0, metavar="DURATION", help="of each request (default: 30s)"
    )
    return command


def _grant(text: str) -> GrantName:
    first, slash, rest = text.partition("/")
    if slash and first.split(".", 1)[0] in _KINDS:
        first, slash, rest = rest.partition("/")
    namespace, name = (first, rest) if slash else (None, first)
    if (namespace is not None and not _LABEL.fullmatch(namespace)) or not _NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r} names no grant: write NAME or NAMESPACE/NAME")
    return GrantName(namespace, name)


def _api(text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    if not (_LABEL.fullmatch(namespace) and _NAME.fullmatch(name)):
        raise argparse.ArgumentTypeError(f"{text!r} names no API: write NAMESPACE/NAME, such as receita/cep")
    return namespace, name


def _namespace(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no namespace")
    return text


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,5})([smh]?)", text)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write a whole number and s, m or h, such as 30s")
    return float(int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]])
