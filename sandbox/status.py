"""`make status`: every service, and how it is."""

import time
from collections.abc import Iterable
from datetime import datetime

from sandbox.errors import tail
from sandbox.layout import Layout
from sandbox.ports import PORTS
from sandbox.processes import Processes, State
from sandbox.services import NAMES, ON_DEMAND
from sandbox.steps import Report

__all__ = ["status"]

HEADING = ("service", "pid", "state", "port", "since")


def status(layout: Layout, report: Report) -> bool:
    """Print a table of the services and, for those that have died, their last words; return whether all are up."""
    processes = Processes(layout)
    started = [name for name in ON_DEMAND if processes.state(name)]
    states = {name: processes.state(name) for name in (*NAMES, *started)}
    if not any(states.values()):
        report.say("the sandbox is not up (make up)")
        return False
    for line in _table([HEADING, *(_row(name, state) for name, state in states.items())]):
        report.say(line)
    for name, state in states.items():
        if state and not state.is_running:
            code = "an unknown exit code" if state.exit_code is None else f"exit code {state.exit_code}"
            report.say(f"\n{name} has died with {code}; the end of {layout.log(name)}:\n{tail(layout.log(name))}")
    return all(state is not None and state.is_running for state in states.values())


def _row(name: str, state: State | None) -> tuple[str, ...]:
    numbers = ", ".join(str(port.number) for port in PORTS if port.service == name)
    if state is None:
        return (name, "", "not started", numbers, "")
    how = "running" if state.is_running else f"dead ({'?' if state.exit_code is None else state.exit_code})"
    return (name, str(state.pid or ""), how, numbers, _since(state.since))


def _since(moment: float) -> str:
    seconds = int(time.time() - moment)
    ago = next(
        f"{seconds // size} {unit}"
        for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
        if seconds >= size or size == 1
    )
    return f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M:%S} ({ago})"


def _table(rows: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADING))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
