"""`python -m sandbox isolated -- COMMAND`: runs a command where no sandbox that is up can meet it.

The command gets a network of its own, with nothing but a loopback, and a view of the files in which `.sandbox` is
another folder. Whatever it starts ends with it, and so does that folder.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.locks import locked
from sandbox.namespaces import NETWORK, bind, bring_up_loopback, enter, make_mounts_private

__all__ = ["INSIDE", "isolated"]

INSIDE: Final = "CONECTA_ISOLATED"
"""Set for the command, so that tests know that they may start a sandbox."""
PATIENCE: Final = 10.0
OWN_NETWORK: Final = Path("/proc/self/ns/net")


def isolated(layout: Layout, command: list[str]) -> int:
    """Return the exit code of a command that was run in namespaces of its own."""
    with locked(layout.test_state, _say_that_we_wait):
        shutil.rmtree(layout.test_state / "state", ignore_errors=True)
        for folder in (layout.test_state / "state", layout.state):
            folder.mkdir(mode=0o700, exist_ok=True)
        ready, tell = os.pipe()
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "sandbox.isolated", str(tell), *command], cwd=layout.repository, pass_fds=[tell]
            )
            os.close(tell)
            network = os.read(ready, 64).decode()
            with _signals_passed_on(child):
                code = child.wait()
            if network:
                _end_all(network)
        finally:
            os.close(ready)
            _remove(layout)
    return code if code >= 0 else 128 - code


def main(arguments: list[str]) -> NoReturn:
    """Enter the namespaces, tell the parent which network that is, become the command."""
    tell, command = int(arguments[0]), arguments[1:]
    layout = Layout()
    try:
        enter(NETWORK, as_root=True)
        make_mounts_private()
        bind(layout.test_state / "state", layout.state)
        bring_up_loopback()
    except SandboxError as error:
        sys.exit(f"{error}")
    os.write(tell, os.fsencode(OWN_NETWORK.readlink()))
    os.close(tell)
    os.execvpe(command[0], command, os.environ | {INSIDE: "1"})  # noqa: S606 - no shell is meant


@contextmanager
def _signals_passed_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """While this lasts, whoever asks us to end asks the child, and we go on to clean up."""

    def pass_on(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)  # the terminal sends it to the child as well
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_all(network: str) -> None:
    """End what is left in the network that we have made: nothing but the command's own can be in it."""
    for number, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
        for pid in _members(network):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + patience
        while _members(network) and time.monotonic() < deadline:
            time.sleep(0.05)


def _members(network: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "ns" / "net").readlink()) == network:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _remove(layout: Layout) -> None:
    shutil.rmtree(layout.test_state, ignore_errors=True)
    try:
        layout.state.rmdir()
    except OSError:
        return  # a sandbox is up: the folder is its own


def _say_that_we_wait() -> None:
    sys.stderr.write("another isolated run is going on: waiting for it …\n")


if __name__ == "__main__":
    main(sys.argv[1:])
