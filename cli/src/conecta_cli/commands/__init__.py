"""What each command does: read, decide, write, and say so."""

from conecta_cli.arguments import Command, Decide, Grants, Rotate, Suspend, Token, Why
from conecta_cli.commands.deciding import decide
from conecta_cli.commands.desk import Desk
from conecta_cli.commands.explaining import why
from conecta_cli.commands.listing import grants
from conecta_cli.commands.requesting import rotate, suspend
from conecta_cli.commands.trying import token

__all__ = ["run"]


def run(desk: Desk, command: Command) -> None:
    """Do it. Raises CliError when it can't be done."""
    match command:
        case Grants():
            grants(desk, command)
        case Decide():
            decide(desk, command)
        case Suspend():
            suspend(desk, command)
        case Rotate():
            rotate(desk, command)
        case Why():
            why(desk, command)
        case Token():
            token(desk, command)
