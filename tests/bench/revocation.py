"""How long a token goes on opening an API after its grant was stopped: `make bench`.

Measured from the API server's answer to the write that stops the grant, to the first refused call and to the last call
that still succeeds, over connections that are kept alive. The baseline is what the gateway itself needs in the same
run: the time from a direct edit of a SecurityPolicy to the first refused call.

A call that succeeds after the grant's status says that it can't is counted, and fails the run.
"""

import argparse
import asyncio
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from conecta_operator.api.objects import Manifest
from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from tests.bench.figures import figures, p99
from tests.bench.own_platform import own_platform
from tests.support.application import Gateway
from tests.support.kubectl import agency_namespace, apply, condition, get
from tests.support.right import PLAN, Right
from tests.support.traffic import StatusWatch, Traffic, traffic, watching
from tests.support.users import ApiServer, User, done

LIMIT: Final = 20
"""Seconds that one trial may take to be in force; all that is beyond is a failure of the run."""
AFTERWARDS: Final = 0.2
"""Seconds for which calls go on when status has said so."""
LONGEST_PAUSE: Final = 0.3
"""Between trials there is a random pause up to this, lest they fall into step with anything that is periodic."""
GOAL: Final = 2.0
"""Seconds, at p99."""


@dataclass
class Latencies:
    """Seconds of all trials of one kind."""

    what: str
    first_refused: list[float] = field(default_factory=list)
    last_success: list[float] = field(default_factory=list)
    late_successes: int = 0
    """Calls that began after status had said that the grant was stopped, and succeeded all the same."""

    def add(self, calls: Traffic, stopped: float, said: float = math.inf) -> None:
        """Take what came of one trial."""
        since = calls.since(stopped)
        refused = min(call.ended for call in since if call.status != 200)
        succeeded = max((call.ended for call in since if call.status == 200), default=stopped)
        self.first_refused.append(refused - stopped)
        self.last_success.append(succeeded - stopped)
        self.late_successes += sum(call.status == 200 for call in calls.since(said))

    @property
    def line(self) -> str:
        """The row of the table, in milliseconds."""
        columns = (figure for values in (self.first_refused, self.last_success) for figure in figures(values))
        return f"{self.what:<22}{len(self.first_refused):>7}" + "".join(f"{1000 * figure:>9.0f}" for figure in columns)


@dataclass(frozen=True)
class Bench:
    """One right that is stopped and restored again and again."""

    layout: Layout
    right: Right
    user: User
    trials: int

    async def baseline(self) -> Latencies:
        """Deny a client by hand, at a route and a policy of the same form that the operator knows nothing of."""
        found, (route, policy) = Latencies("direct edit of policy"), self._copies()
        apply(policy, route)
        opened = policy["spec"]["authorization"]["rules"]
        claim = {"name": "client_id", "values": [self.right.key.client_id]}
        provider = policy["spec"]["jwt"]["providers"][0]["name"]
        denied = [
            {"name": "denied", "action": "Deny", "principal": {"jwt": {"provider": provider, "claims": [claim]}}},
            *opened,
        ]
        path = self.right.path.replace(self._base, f"{self._base}-baseline")
        async with traffic(self.layout, path, self.right.application.token()) as calls:
            for _ in range(self.trials):
                await self._pause(calls)
                stopped = await self._write_rules(policy, denied)
                await calls.until_refused(stopped, LIMIT)
                await asyncio.sleep(AFTERWARDS)
                found.add(calls, stopped)
                await self._write_rules(policy, opened)
        return found

    async def suspensions(self) -> Latencies:
        """Suspend and resume: the same token all the time."""
        found = Latencies("suspended")
        async with (
            watching(self.layout, self.right.receiver, self.right.name) as watch,
            traffic(self.layout, self.right.path, self.right.application.token()) as calls,
        ):
            for _ in range(self.trials):
                await self._pause(calls)
                await self._trial(found, watch, calls, lambda: self._suspend(yes=True), _is_suspended)
                resumed = await self._suspend(yes=False)
                await watch.until(_is_ready, after=resumed, seconds=LIMIT)
        return found

    async def revocations(self) -> Latencies:
        """Revoke and approve anew: each time another key."""
        found = Latencies("revoked")
        for _ in range(self.trials):
            await self._with_fresh_token(found, lambda: self._decide("Revoked"), _is_revoked)
            await self._decide("Approved")
            await asyncio.to_thread(self.right.wait_until_it_holds)
        return found

    async def leaks(self) -> Latencies:
        """Replace the key without overlap."""
        found = Latencies("key replaced, leaked")
        for serial in range(1, self.trials + 1):
            old = self.right.key.client_id
            patch = {"spec": {"credential": {"serial": serial, "overlap": "0s"}}}
            await self._with_fresh_token(found, partial(self._patch, patch), _lists_no_more(old))
            await asyncio.to_thread(self.right.wait_until_it_holds)
        return found

    async def _with_fresh_token(
        self, found: Latencies, stop: Callable[[], Coroutine[Any, Any, float]], says: Callable[[Manifest | None], bool]
    ) -> None:
        async with (
            watching(self.layout, self.right.receiver, self.right.name) as watch,
            traffic(self.layout, self.right.path, self.right.application.token()) as calls,
        ):
            await self._pause(calls)
            await self._trial(found, watch, calls, stop, says)

    async def _trial(
        self,
        found: Latencies,
        watch: StatusWatch,
        calls: Traffic,
        stop: Callable[[], Coroutine[Any, Any, float]],
        says: Callable[[Manifest | None], bool],
    ) -> None:
        begun = time.monotonic()
        stopped = await stop()
        said = await watch.until(says, after=begun, seconds=LIMIT)
        await calls.until_refused(stopped, LIMIT)
        await asyncio.sleep(AFTERWARDS)
        found.add(calls, stopped, said)

    async def _pause(self, calls: Traffic) -> None:
        """Return some time after calls have begun to succeed over all connections."""
        await calls.until(lambda seen: all(call.status == 200 for call in seen.calls[-8:]), LIMIT)
        await asyncio.sleep(random.uniform(0.1, LONGEST_PAUSE))  # noqa: S311 - no secret

    async def _write_rules(self, policy: Manifest, rules: list[Manifest]) -> float:
        path = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/{namespace}/securitypolicies/{name}"
        patch = {"spec": {"authorization": {"rules": rules}}}
        answer = await asyncio.to_thread(
            self.user.call, "PATCH", path.format(**policy["metadata"]), patch, kind="merge-patch+json", for_good=True
        )
        done(answer)
        return time.monotonic()

    async def _suspend(self, *, yes: bool) -> float:
        return await self._patch({"spec": {"suspended": yes}})

    async def _decide(self, decision: str) -> float:
        approval = {
            "decision": decision,
            "by": self.user.name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "terms": {"application": "teste", "plan": PLAN} if decision == "Approved" else None,
            "rule": None,
            "message": None,
        }
        done(await asyncio.to_thread(self.user.decide, self._grant, approval, for_good=True))
        return time.monotonic()

    async def _patch(self, patch: Manifest) -> float:
        done(await asyncio.to_thread(self.user.patch, self._grant, patch, for_good=True))
        return time.monotonic()

    @property
    def _grant(self) -> Manifest:
        return {
            "apiVersion": "conecta.gov.br/v1alpha1",
            "kind": "ConectaGrant",
            "metadata": {"namespace": self.right.receiver, "name": self.right.name},
        }

    @property
    def _base(self) -> str:
        return f"/api-{self.right.api_name}"

    def _copies(self) -> tuple[Manifest, Manifest]:
        """Route and policy of the API, under another name and path, and nobody's."""
        route, policy = (
            get(kind, self.right.provider, self.right.api_name) for kind in ("httproute", "securitypolicy")
        )
        name = f"{self.right.api_name}-baseline"
        for manifest in (route, policy):
            manifest["metadata"] = {"namespace": self.right.provider, "name": name}
            del manifest["status"]
        for rule in route["spec"]["rules"]:
            for match in rule["matches"]:
                match["path"]["value"] = match["path"]["value"].replace(self._base, f"{self._base}-baseline")
        policy["spec"]["targetRefs"][0]["name"] = name
        return route, policy


def _is_suspended(grant: Manifest | None) -> bool:
    return grant is not None and condition(grant, "Ready").get("reason") == "Suspended"


def _is_revoked(grant: Manifest | None) -> bool:
    return grant is not None and condition(grant, "Ready").get("reason") == "Revoked"


def _is_ready(grant: Manifest | None) -> bool:
    return grant is not None and condition(grant, "Ready").get("status") == "True"


def _lists_no_more(client_id: str) -> Callable[[Manifest | None], bool]:
    def says(grant: Manifest | None) -> bool:
        return grant is not None and client_id not in [key["clientId"] for key in grant["status"].get("keys", [])]

    return says


async def measured(layout: Layout, trials: int) -> list[Latencies]:
    """Yield the baseline first."""
    server = ApiServer(layout)
    with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
        right = Right(Gateway(GATEWAY_URL, layout.ca_file), provider, receiver)
        bench = Bench(layout, right, server.administrator, trials)
        found = [await kind() for kind in (bench.baseline, bench.suspensions, bench.revocations, bench.leaks)]
    server.close()
    return found


def told(found: list[Latencies]) -> list[str]:
    """The figures as a table."""
    baseline, *stops = found
    header = f"{'milliseconds':<22}{'trials':>7}" + 2 * "".join(f"{name:>9}" for name in ("median", "p99", "max"))
    lines = ["", f"{'':<29}{'to the first 403':>27}{'to the last success':>27}", header]
    lines += [kind.line for kind in found]
    for kind in stops:
        ratio = statistics.median(kind.first_refused) / statistics.median(baseline.first_refused)
        lines.append(
            f"{kind.what}: {ratio:.1f} times the baseline's median; successes after status said so: "
            f"{kind.late_successes}"
        )
    return lines


def main() -> int:
    """Bring a platform up, measure, end it. The exit code says whether the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.revocation", description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="of each kind (100)")
    trials = parser.parse_args().trials
    with own_platform(parser) as (layout, report):
        found = asyncio.run(measured(layout, trials))
    for line in told(found):
        report.say(line)
    stops = found[1:]
    return int(any(kind.late_successes or p99(kind.first_refused) > GOAL for kind in stops))


if __name__ == "__main__":
    sys.exit(main())
