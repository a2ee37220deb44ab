"""`python -m sandbox`: bring the sandbox up, look at it, end it; or run a command apart from it."""

import argparse
import signal
import sys

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.steps import Report

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, Layout(), Report()))
    except SandboxError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        return 130


def _up(_: argparse.Namespace, layout: Layout, report: Report) -> int:
    from sandbox.up import up  # noqa: PLC0415 - `status` and `down` need none of this, and shall be quick

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    up(layout, report)
    return 0


def _down(_: argparse.Namespace, layout: Layout, report: Report) -> int:
    from sandbox.down import down  # noqa: PLC0415

    down(layout, report)
    return 0


def _status(_: argparse.Namespace, layout: Layout, report: Report) -> int:
    from sandbox.status import status  # noqa: PLC0415

    return 0 if status(layout, report) else 1


def _logs(options: argparse.Namespace, layout: Layout, report: Report) -> int:
    from sandbox.logs import logs  # noqa: PLC0415

    logs(layout, report, options.service, options.lines)
    return 0


def _isolated(options: argparse.Namespace, layout: Layout, _: Report) -> int:
    from sandbox.isolated import isolated  # noqa: PLC0415

    return isolated(layout, options.command)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="The whole platform as processes on one machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", _up, "bring it up, or what of it is missing"),
        ("down", _down, "end it and remove its state"),
        ("status", _status, "show its services; exit code 0 if all are up"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    show = commands.add_parser("logs", help="show the end of the services' logs")
    show.add_argument("service", nargs="?", help="only this one's")
    show.add_argument("--lines", type=int, default=40, help="how many lines of each (default: %(default)s)")
    show.set_defaults(run=_logs)
    apart = commands.add_parser("isolated", help="run a command in a network and with a state folder of its own")
    apart.add_argument("command", nargs="+", metavar="-- COMMAND")
    apart.set_defaults(run=_isolated)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
