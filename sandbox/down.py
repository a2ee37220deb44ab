"""`make down`: end what the sandbox has started, and only that; leave nothing."""

import shutil
from collections.abc import Iterable

from sandbox.layout import Layout
from sandbox.locks import is_locked, locked
from sandbox.processes import GRACE, Processes
from sandbox.services import STAGES
from sandbox.steps import Report

__all__ = ["down", "remove_if_empty", "stop_in_order"]


def down(layout: Layout, report: Report) -> None:
    """End all services and remove the state folder, however much of a sandbox there is."""
    if not layout.state.exists():
        report.say("there is no sandbox")
        return
    with locked(layout.state, lambda: report.say("another command works on this sandbox: waiting for it …")):
        processes = Processes(layout)
        stopped = stop_in_order(processes, processes.names())
        _empty(layout)
        remove_if_empty(layout)
    report.say(f"ended: {', '.join(stopped)}" if stopped else "nothing was running")


def stop_in_order(processes: Processes, names: Iterable[str], grace: float = GRACE) -> list[str]:
    """End services, the latest stage first, so that none loses what it needs; return which were alive."""
    left = set(names)
    stopped: list[str] = []
    known = {name for stage in STAGES for name in stage}
    for stage in (left - known, *reversed(STAGES)):
        if members := [name for name in stage if name in left]:
            stopped += processes.stop(members, grace)
    return stopped


def _empty(layout: Layout) -> None:
    for entry in layout.state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def remove_if_empty(layout: Layout) -> None:
    """Remove the folder, unless something is in it or a test run that is going on has its own mounted on it."""
    if any(layout.state.iterdir()) or layout.state.is_mount() or is_locked(layout.test_state):
        return
    layout.state.rmdir()
