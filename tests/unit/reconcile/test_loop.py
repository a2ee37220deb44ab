"""What follows from a reconcile that went well, and from every way in which it can fail."""

import asyncio
import logging
from collections.abc import Callable
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
from conecta_operator.reconcile.signing_keys import SigningKeys
from conecta_operator.reconcile.steps import Steps
from conecta_operator.reconcile.workqueue import WorkQueue
from conecta_operator.render.forms import Forms
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.journal import Journal, Write
from tests.support.worlds import PLATFORM
from tests.unit.reconcile.stand_ins import (
    FakeClock,
    ListedLandscape,
    api_key,
    api_manifest,
    grant_key,
    grant_manifest,
    namespace_manifest,
)
from tests.unit.reconcile.test_workqueue import AlwaysLongest

FORMS = Forms.load()
SECRET = "a-secret-of-43-characters-0123456789-abcdef"
JWKS = ObjectKey(CONFIG_MAP, "receita", "conecta-jwks")


class Operator:
    """A reconciler over fakes, with the keys given to it in its queue."""

    def __init__(self, *manifests: Manifest) -> None:
        self.journal = Journal()
        agencies = namespace_manifest("receita"), namespace_manifest("saude")
        self.cluster = FakeCluster(*agencies, *manifests, journal=self.journal)
        self.issuer = FakeIssuer(journal=self.journal)
        self.clock = FakeClock()
        self.queue: WorkQueue[ObjectKey] = WorkQueue(clock=self.clock, random=AlwaysLongest())
        self.metrics = Metrics()
        gather = Gather(
            cluster=self.cluster,
            issuer=self.issuer,
            signing_keys=SigningKeys(issuer=self.issuer, clock=self.clock),
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
        """Until nothing is left that is due now."""
        for key in keys:
            self.queue.add(key)
        worker = asyncio.create_task(self.reconciler.work())
        while len(self.queue):
            await asyncio.sleep(0)
        self.queue.close()
        await worker

    def condition(self, key: ObjectKey, kind: str) -> Any:
        conditions = self.cluster.objects[key].get("status", {}).get("conditions", [])
        return next((condition for condition in conditions if condition["type"] == kind), None)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"conecta_operator_{name}", labels) or 0.0

    def outcomes(self, kind: str = "ConectaApi") -> dict[str, float]:
        every = {result: self.count("reconciles_total", kind=kind, outcome=result) for result in loop.Outcome}
        return {str(result): number for result, number in every.items() if number}


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry stays where it is: put off."""
    del monkeypatch


async def test_an_api_is_written_and_told_of() -> None:
    operator = Operator(api_manifest("cep"))
    await operator.work_on(api_key("cep"))
    assert JWKS in operator.cluster.objects
    assert operator.condition(api_key("cep"), "Accepted")["status"] == "True"
    assert operator.outcomes() == {"done": 1}


async def test_a_grant_gets_its_key() -> None:
    operator = Operator(api_manifest("cep"), grant_manifest("g"))
    await operator.work_on(grant_key("g"), grant_key("g"))
    operator = await looked_at_again(operator)
    assert [key.number for key in operator.issuer.clients.values()] == [1]
    assert operator.condition(grant_key("g"), "CredentialsReady")["status"] == "True"


async def looked_at_again(operator: Operator) -> Operator:
    """The same cluster and issuer under a newly started operator."""
    successor = Operator()
    successor.cluster, successor.issuer = operator.cluster, operator.issuer
    rewired = Operator.__new__(Operator)
    rewired.__dict__.update(successor.__dict__)
    return rewired


async def test_what_is_gone_needs_nothing() -> None:
    operator = Operator()
    await operator.work_on(api_key("ghost"), grant_key("ghost"))
    assert (operator.outcomes(), operator.outcomes("ConectaGrant")) == ({"gone": 1}, {"gone": 1})
    assert operator.journal.writes == []
