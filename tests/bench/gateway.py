"""What the full policy of an API costs at the gateway, against a plain route and against the backend: `make bench`.

All three are called in turn in short rounds of one run: as fast as it goes for calls per second and CPU per call, and
at 500 calls per second for latencies. That is repeated with more APIs beside, and with more grants. What is told of a
pair of figures is the median over the rounds, and between what it lay.

The plain route goes through the same listener, TLS, access log and all that the platform has its listener do for every
call; it opens to everybody. The full policy is a ConectaApi and a ConectaGrant that demand all that can be demanded.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from sandbox.steps import Report
from tests.bench.estate import PARTS, Estate, Part
from tests.bench.figures import Spread, figures
from tests.bench.load_program import backend
from tests.bench.own_platform import own_platform
from tests.bench.rounds import STEADY, Measured, Rounds, Target
from tests.bench.spreading import Spreading
from tests.support.kubectl import agency_namespace
from tests.support.shared_rates import counted_together
from tests.support.users import ApiServer

MOST_CPU: Final = {"Local": 1.5, "Shared": 2.2}
"""Times that of a plain route, by how rates are enforced."""
MOST_ADDED: Final = {"p50": 0.5, "p99": 2.0}
"""Milliseconds, at the steady rate."""
SPARE: Final = 2
"""How many times the steady rate a plain route must reach: below that, latencies are those of a queue."""
API: Final = "b1"


@dataclass(frozen=True)
class Options:
    """What is measured."""

    sizes: tuple[int, ...]
    grants: tuple[int, ...]
    rounds: int
    seconds: float
    trials: int
    by_part: bool
    limits: str


class Bench:
    """One run: what was built up so far, and whether all goals were met."""

    def __init__(self, layout: Layout, report: Report, estate: Estate, options: Options) -> None:
        self._estate, self._say, self._options = estate, report.say, options
        self._rounds = Rounds(layout, options.rounds, options.seconds)
        self._spreading = Spreading(layout, estate, options.trials)
        self.misses: list[str] = []

    def run(self) -> None:
        """Measure, and tell each figure as soon as it is there."""
        self._say(f"\nfull policy: {', '.join(part.name for part in PARTS)}; limits: {self._options.limits}")
        plain = self._estate.plain_route("p1")
        if self._options.by_part:
            self._by_part(plain)
            return
        full = self._estate.publish(API, *PARTS)
        for size in self._options.sizes:
            took = self._estate.surround(size - 1, *PARTS)
            self._say(f"\n{size} APIs, 1 grant (ready after {took:.0f} s)")
            self._compare(f"{size} APIs", plain, full)
            self._tell_changes()
        for number in self._options.grants:
            self._share(number, plain)

    def _share(self, number: int, plain: Target) -> None:
        grants, took = self._estate.share(API, number, *(part for part in PARTS if part.api))
        self._say(f"\n{self._options.sizes[-1]} APIs, {number} grants which call in turn (ready after {took:.0f} s)")
        headers = [self._estate.headers(self._estate.token(grant)) for grant in grants]
        self._compare(f"{number} grants", plain, Target(API, f"{GATEWAY_URL}/api-{API}/v1/", headers))

    def _compare(self, state: str, plain: Target, full: Target) -> None:
        direct = Target("backend directly", self._estate.backend_url, plain.headers)
        found = self._rounds.measure([direct, plain, full])
        self._say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}")
        self._say(f"{'':<26}{'calls/s':>9}{'CPU µs/call':>13}{'p50 ms':>9}{'p99 ms':>9}  at {STEADY}/s")
        for name, measured in zip((direct.name, "plain route", "full policy"), found, strict=True):
            self._say(_row(name, measured))
        self._judge(state, found)

    def _judge(self, state: str, found: Sequence[Measured]) -> None:
        direct, plain, full = found
        ratio = full.cpu_ratio(plain)
        self._tell(state, "CPU, times that of a plain route", ratio, MOST_CPU[self._options.limits])
        if (reached := Spread.of(plain.rates).median) < SPARE * STEADY:
            self._miss(f"{state}: latencies mean nothing, the machine is too busy: {reached:.0f}/s by a plain route")
            return
        for which, most in MOST_ADDED.items():
            self._tell(state, f"{which}, ms beyond a plain route", full.added(which, plain), most)
            self._say(f"  {f'{which}, ms beyond the backend':<36}{full.added(which, direct).told()}")

    def _tell(self, state: str, what: str, found: Spread, most: float) -> None:
        is_met = found.median <= most
        self._say(f"  {what:<36}{found.told():<28}goal {most}: {'met' if is_met else 'MISSED'}")
        if not is_met:
            self.misses.append(f"{state}: {what}: {found.told()}, goal {most}")

    def _miss(self, why: str) -> None:
        self._say(f"  {why}")
        self.misses.append(why)

    def _tell_changes(self) -> None:
        self._say(f"{'to reach the gateway, ms':<38}{'trials':>7}{'median':>9}{'p99':>9}{'max':>9}")
        asking, serving = self._spreading.opened(*PARTS)
        changes = {
            "grant suspended → 403": self._spreading.suspended(API),
            "new API → asks for a token": asking,
            "new API and grant → first call served": serving,
        }
        for part in PARTS:
            if "sourceRanges" in part.api:
                changes["API's source ranges → 403"] = self._spreading.excluded(API, part.api["sourceRanges"])
        for what, values in changes.items():
            told = "".join(f"{1000 * figure:>9.0f}" for figure in figures(values))
            self._say(f"{what:<38}{len(values):>7}{told}")

    def _by_part(self, plain: Target) -> None:
        """What the steps of a policy cost, each beyond the one before, and then what each part does."""
        bare, *apis = (self._estate.publish(f"a{index}", *parts) for index, parts in enumerate(self._sets.values()))
        steps = self._steps(bare)
        found = self._rounds.measure([plain, *steps.values(), bare, *apis], latencies=False)
        names = ["plain route", *steps, *self._sets]
        self._say(
            f"{'':<26}{'calls/s':>9}{'CPU µs/call':>13}  times plain; µs beyond the line that it is compared with"
        )
        for index, (name, measured) in enumerate(zip(names, found, strict=True)):
            base = found[min(max(index - 1, 0), len(steps) + 1)]
            more = Spread.of([1e6 * (mine - its) for mine, its in zip(measured.cpu, base.cpu, strict=True)])
            self._say(f"{_row(name, measured)}  {measured.cpu_ratio(found[0]).told()}; {more.told(0)}")

    @property
    def _sets(self) -> dict[str, list[Part]]:
        each = {part.name: [part] for part in PARTS}
        return {"API without any part": [], **each, "all parts": [*PARTS]}

    def _steps(self, api: Target) -> dict[str, Target]:
        """The policy of an API put together on routes of nobody's: the token, who may, who may not."""
        policy, (headers,) = self._estate.policy_of(api.name), api.headers
        allowing = [rule for rule in policy["authorization"]["rules"] if rule["action"] == "Allow"]
        steps = {
            "valid token": {"defaultAction": "Allow"},
            "and the API's scopes": {"defaultAction": "Deny", "rules": allowing},
            "and what is denied to all": policy["authorization"],
        }
        return {
            name: self._estate.foreign_route(f"s{index}", policy | {"authorization": authorization}, dict(headers))
            for index, (name, authorization) in enumerate(steps.items())
        }


def _row(name: str, measured: Measured) -> str:
    cpu = 1e6 * Spread.of(measured.cpu).median
    columns = f"{name:<26}{Spread.of(measured.rates).median:>9.0f}{cpu:>13.0f}"
    if not measured.p50:
        return columns
    return columns + "".join(f"{1000 * Spread.of(values).median:>9.2f}" for values in (measured.p50, measured.p99))


def _options(parser: argparse.ArgumentParser) -> Options:
    parser.add_argument("--sizes", type=_numbers, default=(10, 100, 500), help="numbers of APIs, rising (10,100,500)")
    parser.add_argument("--grants", type=_numbers, default=(100, 1000), help="numbers of grants, rising (100,1000)")
    parser.add_argument("--rounds", type=int, default=20, help="of each kind, a second long (20)")
    parser.add_argument("--trials", type=int, default=20, help="of each kind of change (20)")
    parser.add_argument("--by-part", action="store_true", help="show instead what each part of the policy costs")
    parser.add_argument("--limits", choices=MOST_CPU, default="Local", help="how rates are enforced (Local)")
    parser.add_argument("--quick", action="store_true", help="10 APIs and 100 grants, few rounds: to see that it works")
    given = parser.parse_args()
    if given.quick:
        return Options((10,), (100,), rounds=2, seconds=1.0, trials=3, by_part=given.by_part, limits=given.limits)
    return Options(given.sizes, given.grants, given.rounds, 1.0, given.trials, given.by_part, given.limits)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in text.split(",") if number))


@contextmanager
def _limited(layout: Layout, limits: str) -> Iterator[None]:
    if limits == "Local":
        yield
        return
    with TemporaryDirectory() as folder, counted_together(layout, Path(folder)):
        yield


def main() -> int:
    """Bring a platform up, measure, end it. The exit code says whether the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gateway", description=__doc__)
    options = _options(parser)
    with (
        own_platform(parser) as (layout, report),
        _limited(layout, options.limits),
        backend(layout) as port,
        agency_namespace("provedor") as provider,
        agency_namespace("recebedor") as receiver,
    ):
        estate = Estate(layout, ApiServer(layout).administrator, provider, receiver, port)
        bench = Bench(layout, report, estate, options)
        bench.run()
    for miss in bench.misses:
        report.say(f"goal missed: {miss}")
    return int(bool(bench.misses))


if __name__ == "__main__":
    sys.exit(main())
