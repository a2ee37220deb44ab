"""What the user sees while tools are made: a line that is kept up to date on a terminal, else one now and then."""

import os
import time
from collections.abc import Callable
from typing import TextIO

__all__ = ["Progress"]

TERMINAL_INTERVAL = 0.2
PLAIN_INTERVAL = 15.0
ERASE_LINE = "\r\x1b[K"


class Progress:
    """Reports one step after the other. Each step has a title, a detail that changes, and its own elapsed time."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._interval = TERMINAL_INTERVAL if self._is_terminal else PLAIN_INTERVAL
        self._began = self._step_began = self._shown = clock()
        self._title = ""
        self._detail = ""

    def say(self, text: str) -> None:
        """Print a line that stays."""
        erase = ERASE_LINE if self._is_terminal else ""
        self._stream.write(f"{erase}{text}\n")
        self._stream.flush()

    def begin(self, title: str, detail: str = "starting") -> None:
        """Start a step."""
        self._title, self._detail = title, detail
        self._step_began = self._clock()
        self._show()

    def update(self, detail: str) -> None:
        """Change the detail of the step; shown when it is time for it."""
        self._detail = detail
        self.tick()

    def tick(self) -> None:
        """Show the step anew when the last time is long enough ago."""
        if self._clock() - self._shown >= self._interval:
            self._show()

    def end(self, outcome: str) -> None:
        """Print how the step ended, and what it took."""
        self.say(f"{self._title}: {outcome} in {_elapsed(self._clock() - self._step_began)}")

    def _show(self) -> None:
        now = self._clock()
        self._shown = now
        times = f"{_elapsed(now - self._step_began)} (in all {_elapsed(now - self._began)})"
        line = f"{self._title}: {self._detail} · {times}"
        if self._is_terminal:
            self._stream.write(ERASE_LINE + line[: self._columns() - 1])
            self._stream.flush()
        else:
            self.say(line)

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80


def _elapsed(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
