"""What follows from a reconcile that went well, and from every way in which it can fail."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from conecta_operator.api.objects import CONFIG_MAP, Manifest, ObjectKey
from conecta_operator.errors import ClusterUnavailable, Conflict, IssuerUnavailable, Rejected, TransientError
from conecta_operator.observability.metrics import Metrics
from conecta_operator.reconcile import loop
from conecta_operator.reconcile.gather import Gather
from conecta_operator.reconcile.loop import MOST_CONFLICTS, Reconciler
from conecta_operator.reconcile.report import Report
from conecta_operator.reconcile.steps import Steps
from conecta_operator.reconcile.workqueue import WorkQueue
from conecta_operator.render.forms import Forms
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.journal import Journal, Write
from tests.support.worlds import PLATFORM, keepers_of
from tests.unit.reconcile.stand_ins import (
    AlwaysLongest,
    FakeClock,
    ListedLandscape,
    api_key,
    api_manifest,
    grant_key,
    grant_manifest,
    namespace_manifest,
    signing_keys_over,
)

FORMS = Forms.load()
SECRET = "a-secret-of-43-characters-0123456789-abcdef"
JWKS = ObjectKey(CONFIG_MAP, "receita", "conecta-jwks")


class Failing:
    """Refuses every write, and counts them."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.refused = 0

    def __call__(self, _: Write) -> None:
        self.refused += 1
        raise self.error


class Operator:
    """A reconciler over fakes, with the keys given to it in its queue."""

    def __init__(self, *manifests: Manifest) -> None:
        self.journal = Journal()
        names = "receita", "saude", PLATFORM.network.proxy_namespace
        self.issuer = FakeIssuer(journal=self.journal)
        keepers = keepers_of(self.issuer.public_keys)
        self.cluster = FakeCluster(*map(namespace_manifest, names), *keepers, *manifests, journal=self.journal)
        self.clock = FakeClock()
        self.queue: WorkQueue[ObjectKey] = WorkQueue(clock=self.clock, random=AlwaysLongest())
        self.metrics = Metrics()
        gather = Gather(
            cluster=self.cluster,
            issuer=self.issuer,
            signing_keys=signing_keys_over(self.cluster, self.issuer, clock=self.clock),
            landscape=ListedLandscape(*manifests),
            platform=PLATFORM,
            now=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC),
            fresh_secret=lambda: SecretStr(SECRET),
        )
        self.reconciler = Reconciler(
            queue=self.queue,
            cluster=self.cluster,
            gather=gather,
            steps=Steps(cluster=self.cluster, issuer=self.issuer),
            report=Report(self.cluster),
            forms=FORMS,
            metrics=self.metrics,
            clock=self.clock,
        )

    async def work_on(self, *keys: ObjectKey) -> None:
        """Until nothing is left to do now; what was put off stays so."""
        await self.start_on(*keys)
        await self.stop()

    async def start_on(self, *keys: ObjectKey) -> None:
        for key in keys:
            self.queue.add(key)
        self._worker = asyncio.create_task(self.reconciler.work())
        await self.settle()

    async def settle(self) -> None:
        """Until nothing is left to do before the clock moves on."""
        while True:
            self.clock.advance(0)
            if not len(self.queue) and not self.queue._processing:
                return
            await asyncio.sleep(0)

    async def stop(self) -> None:
        self.queue.close()
        await self._worker

    def condition(self, key: ObjectKey, kind: str) -> Any:
        conditions = self.cluster.objects[key].get("status", {}).get("conditions", [])
        return next((condition for condition in conditions if condition["type"] == kind), None)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"conecta_operator_{name}", labels) or 0.0

    def outcomes(self, kind: str = "ConectaApi") -> dict[str, float]:
        every = {result: self.count("reconciles_total", kind=kind, outcome=result) for result in loop.Outcome}
        return {str(result): number for result, number in every.items() if number}


async def test_an_api_is_written_and_told_of() -> None:
    operator = Operator(api_manifest("cep"))
    await operator.work_on(api_key("cep"))
    assert JWKS in operator.cluster.objects
    assert operator.condition(api_key("cep"), "Accepted")["status"] == "True"
    assert operator.outcomes() == {"done": 1}


async def test_a_grant_that_is_to_be_looked_at_again_at_once_gets_its_key_in_one_go() -> None:
    operator = Operator(api_manifest("cep"), grant_manifest("g"))
    await operator.work_on(grant_key("g"))
    assert [key.number for key in operator.issuer.clients.values()] == [1]
    assert operator.condition(grant_key("g"), "CredentialsReady")["status"] == "True"


async def test_what_is_gone_needs_nothing() -> None:
    operator = Operator()
    await operator.work_on(api_key("ghost"), grant_key("ghost"))
    assert (operator.outcomes(), operator.outcomes("ConectaGrant")) == ({"gone": 1}, {"gone": 1})
    assert operator.journal.writes == []


async def test_what_is_as_it_should_be_is_not_written_again() -> None:
    operator = Operator(api_manifest("cep"))
    await operator.work_on(api_key("cep"))
    writes = list(operator.journal.writes)
    await operator.reconciler.reconcile(api_key("cep"))
    assert operator.journal.writes == writes


async def test_a_conflict_is_no_failure_but_a_reason_to_read_again() -> None:
    operator = Operator(api_manifest("cep"))
    operator.journal.fail_at(2, Conflict("somebody was faster"), taken=False)
    await operator.work_on(api_key("cep"))
    assert operator.outcomes() == {"done": 1}
    assert operator.count("retries_total", kind="ConectaApi") == 0


async def test_endless_conflicts_are_given_time() -> None:
    operator = Operator(api_manifest("cep"))
    attempts = Failing(Conflict("somebody is always faster"))
    operator.journal.before = attempts
    await operator.work_on(api_key("cep"))
    assert operator.outcomes() == {"interrupted": 1}
    assert attempts.refused == MOST_CONFLICTS + 1  # the last one is the status that tells of it


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        pytest.param(ClusterUnavailable("the API server is away"), "interrupted", id="cluster"),
        pytest.param(IssuerUnavailable("the issuer is away"), "interrupted", id="issuer"),
        pytest.param(Rejected("spec.rules: Invalid value"), "rejected", id="rejected"),
        pytest.param(ZeroDivisionError("nobody foresaw this"), "bug", id="bug"),
    ],
)
async def test_a_failure_is_counted_told_and_tried_again(failure: Exception, outcome: str) -> None:
    operator = Operator(api_manifest("cep"))
    operator.journal.fail_at(1, failure, taken=False)
    await operator.start_on(api_key("cep"))
    assert operator.outcomes() == {outcome: 1}
    assert operator.condition(api_key("cep"), "Reconciling")["reason"] == "ProgressingWithRetry"
    operator.clock.advance(1)
    await operator.settle()
    assert operator.outcomes() == {outcome: 1, "done": 1}
    assert JWKS in operator.cluster.objects
    assert operator.queue.retry_later(api_key("cep")) == timedelta(seconds=1)
    await operator.stop()


async def test_a_failure_of_the_issuer_is_counted_as_such() -> None:
    operator = Operator(api_manifest("cep"), grant_manifest("g"))
    operator.issuer.outage = IssuerUnavailable("the issuer is away")
    await operator.work_on(grant_key("g"))
    assert operator.count("issuer_failures_total") >= 1
    assert operator.condition(grant_key("g"), "Ready")["status"] == "False"


async def test_a_failure_that_cannot_be_told_is_tried_again_all_the_same() -> None:
    operator = Operator(api_manifest("cep"))
    operator.cluster.outage = ClusterUnavailable("the API server is away")
    await operator.start_on(api_key("cep"))
    operator.cluster.outage = None
    operator.clock.advance(1)
    await operator.settle()
    assert operator.outcomes() == {"interrupted": 1, "done": 1}
    await operator.stop()


async def test_an_object_that_cannot_be_understood_does_not_end_the_worker() -> None:
    broken = api_manifest("cep")
    operator = Operator()
    operator.cluster.put({**broken, "spec": {"nonsense": True}})
    await operator.work_on(api_key("cep"), api_key("ghost"))
    assert operator.outcomes() == {"bug": 1, "gone": 1}


async def test_a_reconcile_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LONGEST_RECONCILE", timedelta(0))
    operator = Operator(api_manifest("cep"))
    await operator.work_on(api_key("cep"))
    assert operator.outcomes() == {"interrupted": 1}
    assert "tries again by itself" in operator.condition(api_key("cep"), "Reconciling")["message"]


async def test_what_nobody_foresaw_is_logged_with_its_trace_and_users_are_told_nothing_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    operator = Operator(api_manifest("cep"))
    operator.journal.fail_at(1, ValueError(f"cannot handle {SECRET}"), taken=False)
    await operator.work_on(api_key("cep"))
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.exc_info is not None
    assert SECRET not in str(operator.cluster.objects[api_key("cep")])
    assert SECRET not in record.getMessage()


async def test_secrets_are_in_no_log_no_event_and_no_status(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    operator = Operator(api_manifest("cep"), grant_manifest("g"))
    await operator.work_on(api_key("cep"), grant_key("g"))
    assert operator.issuer.clients
    assert SECRET not in caplog.text
    assert SECRET not in str(operator.cluster.events)
    assert SECRET not in str(operator.cluster.objects[grant_key("g")])


async def test_a_kind_that_is_not_reconciled_is_a_bug() -> None:
    operator = Operator()
    operator.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "receita"}})
    with pytest.raises(ValueError, match="no kind that is reconciled"):
        await operator.reconciler.reconcile(ObjectKey(CONFIG_MAP, "receita", "x"))


async def test_workers_share_the_work() -> None:
    names = [f"api-{number}" for number in range(10)]
    operator = Operator(*(api_manifest(name) for name in names))
    workers = [asyncio.create_task(operator.reconciler.work()) for _ in range(3)]
    for name in names:
        operator.queue.add(api_key(name))
    await operator.settle()
    operator.queue.close()
    await asyncio.gather(*workers)
    assert sum(operator.outcomes().values()) >= len(names)


def test_a_transient_error_is_the_root_of_what_may_pass() -> None:
    assert all(issubclass(error, TransientError) for error in (ClusterUnavailable, Conflict, IssuerUnavailable))
