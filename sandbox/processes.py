"""Starts services as processes that outlive the command, knows how they are, and ends them: these and no others.

A process is known by its id and the time of its start (see `wrapper.identity`); an id alone may be another's by now.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from sandbox import wrapper
from sandbox.errors import SandboxError, ServiceDied
from sandbox.layout import Layout

__all__ = ["Processes", "Service", "State", "base_environment", "wait_until"]

GRACE: Final = 8.0
"""Seconds between asking a service to end and ending it."""
INHERITED: Final = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME")


@dataclass(frozen=True, kw_only=True)
class Service:
    """How a service is started, and how one knows that it is ready."""

    name: str
    argv: tuple[str, ...]
    """The program by its absolute path, then its arguments."""
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    time_limit: float = 60.0
    """Seconds until it must be ready."""


class State(NamedTuple):
    """What is known of a service that was started."""

    is_running: bool
    pid: int | None
    since: float
    """When it started or, if it is dead, when it ended (as far as anybody saw it)."""
    exit_code: int | None = None


class Processes:
    """The processes of one sandbox, by the records in its state folder."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def names(self) -> list[str]:
        """Return the services that were started and not stopped since, dead or alive."""
        return sorted(file.stem for file in self._layout.records.glob("*.json"))

    def state(self, name: str) -> State | None:
        """Return how a service is; None when it wasn't started or has been stopped."""
        record = self._record(name)
        if record is None:
            return None
        if _is_alive(record, "pid") or (_is_alive(record, "leader") and "exit_code" not in record):
            return State(is_running=True, pid=record.get("pid"), since=record["started"])
        return State(
            is_running=False,
            pid=record.get("pid"),
            since=record.get("ended", record["started"]),
            exit_code=record.get("exit_code"),
        )

    def is_running(self, name: str) -> bool:
        """Return whether a service is alive (which doesn't say that it is ready)."""
        state = self.state(name)
        return state is not None and state.is_running

    def start(self, service: Service) -> bool:
        """Start a service unless it runs; return whether that was necessary. Doesn't wait for its readiness."""
        if self.is_running(service.name):
            return False
        self.stop([service.name])
        record = self._file(service.name)
        with self._layout.log(service.name).open("ab") as log:
            leader = subprocess.Popen(
                [sys.executable, "-I", "-S", wrapper.__file__, record, *service.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._layout.repository,
                env=base_environment() | dict(service.environment),
                start_new_session=True,
            )
        leader.returncode = 0  # it is meant to outlive us: no ResourceWarning about a child that still runs
        wait_until(record.exists, 10, f"{service.name} has not been started within 10 s")
        return True

    def await_ready(self, service: Service) -> None:
        """Return when a service is ready; fail as soon as it is dead, or when its time is over."""

        def ready() -> bool:
            self.check([service.name])
            return service.is_ready()

        wait_until(
            ready,
            service.time_limit,
            f"{service.name} runs but has not become ready within {service.time_limit:.0f} s; "
            f"see {self._layout.log(service.name)}",
        )

    def check(self, names: Iterable[str]) -> None:
        """Fail if one of these services has died."""
        for name in names:
            state = self.state(name)
            if state is not None and not state.is_running:
                raise ServiceDied(name, state.exit_code, self._layout.log(name))

    def stop(self, names: Iterable[str], grace: float = GRACE) -> list[str]:
        """End these services, all at the same time, and forget them; return which were still alive."""
        groups = {name: group for name in names if (group := self._group(name)) is not None}
        for signal_number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            alive = {name: group for name, group in groups.items() if self._group(name) is not None}
            for group in alive.values():
                _signal(group, signal_number)
            _wait(lambda: not any(self._group(name) for name in groups), patience)
        stubborn = [name for name in groups if self._group(name)]
        if stubborn:
            raise SandboxError(f"can't be ended, not even by SIGKILL: {', '.join(stubborn)}")
        for name in names:
            self._file(name).unlink(missing_ok=True)
        return list(groups)

    def _group(self, name: str) -> int | None:
        """Return the process group of a service while one of its two processes is alive."""
        record = self._record(name)
        if record is None or not (_is_alive(record, "leader") or _is_alive(record, "pid")):
            return None
        return int(record["leader"])

    def _record(self, name: str) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return record

    def _file(self, name: str) -> Path:
        return self._layout.records / f"{name}.json"


def base_environment() -> dict[str, str]:
    """Return what programs get of the caller's environment: no KUBECONFIG, proxy or setting of somebody else's."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def wait_until(holds: Callable[[], bool], time_limit: float, otherwise: str) -> None:
    """Return as soon as something holds; fail with a message when the time is over."""
    if not _wait(holds, time_limit):
        raise SandboxError(otherwise)


def _wait(holds: Callable[[], bool], time_limit: float) -> bool:
    deadline, pause = time.monotonic() + time_limit, 0.01
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return True


def _is_alive(record: Mapping[str, Any], which: str) -> bool:
    pid = record.get(which)
    identity = record.get("identity" if which == "pid" else "leader_identity")
    return pid is not None and identity is not None and wrapper.identity(pid) == identity


def _signal(group: int, signal_number: signal.Signals) -> None:
    try:
        os.killpg(group, signal_number)
    except ProcessLookupError:
        return
