"""`kubectl-conecta`, which kubectl runs as `kubectl conecta`: from arguments to an exit code.

0: done; 1: not done, and one line on standard error says why; 2: the arguments make no sense; 130: interrupted.
"""

import os
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from conecta_cli.arguments import Invocation, Options, parse
from conecta_cli.commands import run
from conecta_cli.commands.desk import Desk
from conecta_cli.errors import CliError, UsageError
from conecta_cli.output.text import printable
from conecta_cli.server.access import Impersonation, access
from conecta_cli.server.objects import Server

__all__ = ["main"]

_FAILED: Final = 1
_MISUSED: Final = 2
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        _perform(parse(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except UsageError as error:
        return _fail(str(error), _MISUSED)
    except CliError as error:
        return _fail(str(error), _FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has enough; without this, Python complains once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except Exception as error:  # noqa: BLE001 - a bug of ours; its text may hold anything, so it is not repeated
        place = traceback.extract_tb(error.__traceback__)[-1]
        return _fail(f"a bug in kubectl conecta: {type(error).__name__} in {place.name}, line {place.lineno}", _FAILED)
    return 0


def _perform(invocation: Invocation) -> None:
    options = invocation.options
    reached = access(options.kubeconfig, options.context, _impersonation(options))
    with Server(reached, request_timeout=options.request_timeout) as server:
        desk = Desk(
            server=server,
            options=options,
            namespaces=reached.namespaces,
            answers=sys.stdout,
            remarks=sys.stderr,
            clock=lambda: datetime.now(UTC),
            sleep=time.sleep,
        )
        run(desk, invocation.command)


def _impersonation(options: Options) -> Impersonation | None:
    if options.impersonate is None:
        return None
    return Impersonation(options.impersonate, groups=options.impersonate_groups)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"error: {printable(message)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
