"""Long commands, watched: their messages line by line, a regular tick between them, and no survivor when we end."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

__all__ = ["watch"]

LEASH = Path(__file__).parent / "leash.py"
TICK = 0.2
CHUNK = 65536


def watch(
    command: list[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    output: BinaryIO,
    on_message: Callable[[str], None],
    on_tick: Callable[[], None],
) -> int:
    """The exit code of the command, whose standard output goes to a file and whose messages (stderr) go to a callback.

    The command lives in a process group of its own, so that Ctrl-C reaches us alone and we end all of it.
    """
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
    process = subprocess.Popen(
        [*leash, *command],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    with process:
        assert process.stderr is not None  # noqa: S101 - for mypy: we asked for a pipe
        try:
            for line in _lines(process.stderr.fileno(), on_tick):
                on_message(line)
            return process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _lines(pipe: int, on_tick: Callable[[], None]) -> Iterator[str]:
    """Every line that the pipe brings until its end; ticks while it brings none."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            on_tick()
            if not selector.select(TICK):
                continue
            chunk = os.read(pipe, CHUNK)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not chunk:
                break
    if rest:
        yield rest.decode(errors="replace")
