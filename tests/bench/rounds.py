"""Short rounds of calls to several targets in turn, so that whatever else the machine does drifts over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.layout import Layout
from sandbox.processes import Processes
from tests.bench.figures import Spread
from tests.bench.load_program import Job

__all__ = ["Measured", "Rounds", "Target"]

CONNECTIONS: Final = 8
STEADY: Final = 500
"""Calls per second at which latencies are measured."""
_TAKES_PART: Final = ("envoy", "ratelimit", "redis")
"""The services whose CPU a call costs, of those that run."""


@dataclass(frozen=True)
class Target:
    """What is called."""

    name: str
    url: str
    headers: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Measured:
    """What the rounds of one target have shown, in their order."""

    rates: list[float]
    """Calls per second, as fast as it goes."""
    cpu: list[float]
    """Of the gateway, in seconds per call, as fast as it goes."""
    p50: list[float]
    """Seconds, at the steady rate."""
    p99: list[float]

    def cpu_ratio(self, to: "Measured") -> Spread:
        """How many times another's CPU a call costs, pair by pair."""
        return Spread.of([mine / other for mine, other in zip(self.cpu, to.cpu, strict=True)])

    def added(self, which: str, to: "Measured") -> Spread:
        """By how many milliseconds `p50` or `p99` is beyond another's, pair by pair."""
        pairs = zip(getattr(self, which), getattr(to, which), strict=True)
        return Spread.of([1000 * (mine - other) for mine, other in pairs])


@dataclass(frozen=True)
class Rounds:
    """How often and how long."""

    layout: Layout
    number: int
    seconds: float

    def measure(self, targets: Sequence[Target], *, latencies: bool = True) -> list[Measured]:
        """Call each target in each round; every second round in the opposite order."""
        found = {target.name: Measured([], [], [], []) for target in targets}
        for index in range(self.number):
            for target in reversed(targets) if index % 2 else targets:
                self._as_fast_as_it_goes(target, found[target.name])
            for target in reversed(targets) if index % 2 else targets:
                if latencies:
                    self._steadily(target, found[target.name])
        return [found[target.name] for target in targets]

    def _as_fast_as_it_goes(self, target: Target, found: Measured) -> None:
        outcome = self._job(target).do()
        found.rates.append(outcome.rate)
        found.cpu.append(outcome.cpu / outcome.calls)

    def _steadily(self, target: Target, found: Measured) -> None:
        outcome = self._job(target, STEADY).do()
        found.p50.append(outcome.p50)
        found.p99.append(outcome.p99)

    def _job(self, target: Target, rate: int = 0) -> Job:
        processes = Processes(self.layout)
        states = [processes.state(name) for name in _TAKES_PART]
        pids = [state.pid for state in states if state is not None and state.pid is not None]
        return Job(self.layout.ca_file, target.url, target.headers, CONNECTIONS, self.seconds, rate, pids)
