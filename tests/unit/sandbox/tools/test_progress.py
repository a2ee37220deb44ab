"""Progress is one line kept up to date on a terminal, and a line every fifteen seconds elsewhere."""

import io

import pytest
from typing_extensions import override

from sandbox.tools.progress import Progress


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal, of 80 columns as it has no size."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_elsewhere_a_line_comes_every_fifteen_seconds(clock: Clock) -> None:
    stream = io.StringIO()
    progress = Progress(stream, clock=clock)
    clock.now += 60
    progress.begin("[1/2] etcd 3.6.14")
    for count in range(40):
        clock.now += 1
        progress.update(f"{count} of 40 packages")
    progress.end("ready")

    assert stream.getvalue().splitlines() == [
        "[1/2] etcd 3.6.14: starting · 0:00 (in all 1:00)",
        "[1/2] etcd 3.6.14: 14 of 40 packages · 0:15 (in all 1:15)",
        "[1/2] etcd 3.6.14: 29 of 40 packages · 0:30 (in all 1:30)",
        "[1/2] etcd 3.6.14: ready in 0:40",
    ]


def test_time_that_passes_without_news_is_shown_too(clock: Clock) -> None:
    stream = io.StringIO()
    progress = Progress(stream, clock=clock)
    progress.begin("[1/2] etcd 3.6.14", "linking")
    clock.now += 15
    progress.tick()

    assert stream.getvalue().splitlines()[-1] == "[1/2] etcd 3.6.14: linking · 0:15 (in all 0:15)"


def test_on_a_terminal_one_line_is_written_over_and_over(clock: Clock) -> None:
    terminal = Terminal()
    progress = Progress(terminal, clock=clock)
    progress.begin("[1/2] etcd 3.6.14")
    clock.now += 0.1
    progress.update("too early to be shown")
    clock.now += 0.1
    progress.update("2 of 40 packages")
    progress.end("ready")

    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "[1/2] etcd 3.6.14: starting · 0:00 (in all 0:00)",
        "[1/2] etcd 3.6.14: 2 of 40 packages · 0:00 (in all 0:00)",
        "[1/2] etcd 3.6.14: ready in 0:00\n",
    ]


def test_on_a_terminal_no_line_is_longer_than_it_is_wide(clock: Clock) -> None:
    terminal = Terminal()
    Progress(terminal, clock=clock).begin("x" * 200)

    assert len(terminal.getvalue().removeprefix("\r\x1b[K")) < 80
