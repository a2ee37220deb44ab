"""Runs the steps of `make up`: each as soon as those that it needs are done, with its time, until one fails."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, TextIO

__all__ = ["Report", "Step", "run_steps"]

POLL: Final = 0.5


@dataclass(frozen=True)
class Step:
    """A piece of work with a name for people."""

    name: str
    run: Callable[[], str]
    """Returns a note on what was done, or nothing."""
    needs: tuple[str, ...] = ()


class Report:
    """What people see while they wait."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream

    def say(self, text: str = "") -> None:
        """Print a line at once."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def done(self, name: str, seconds: float, note: str) -> None:
        """Print what a step has taken."""
        self.say(f"  {name:<26}{seconds:6.1f} s  {note}".rstrip())


def run_steps(steps: Sequence[Step], report: Report, watch: Callable[[], None]) -> None:
    """Run all steps; raise the first failure. `watch` is called now and then, and may raise as well."""
    waiting = {step.name: step for step in steps}
    running: dict[Future[tuple[str, float]], Step] = {}
    done: set[str] = set()
    pool = ThreadPoolExecutor(max_workers=len(steps), thread_name_prefix="step")
    try:
        while waiting or running:
            for step in _startable(waiting.values(), done):
                del waiting[step.name]
                running[pool.submit(_timed, step)] = step
            for future in wait(running, timeout=POLL, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                note, seconds = future.result()
                report.done(step.name, seconds, note)
                done.add(step.name)
            watch()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _startable(waiting: Iterable[Step], done: set[str]) -> list[Step]:
    return [step for step in waiting if done.issuperset(step.needs)]


def _timed(step: Step) -> tuple[str, float]:
    started = time.monotonic()
    return step.run(), time.monotonic() - started
