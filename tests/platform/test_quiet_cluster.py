"""Two hundred grants at rest: nothing is written, whatever the operator looks at again, and after its restart too."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from sandbox.layout import Layout
from sandbox.ports import OPERATOR_PROBE
from sandbox.probes import request
from tests.support.application import Gateway
from tests.support.audit import AuditLog, Write, by_kind
from tests.support.grant_lives import Stage
from tests.support.kubectl import eventually
from tests.support.own_operator import OwnOperator, without_sandbox_operator
from tests.support.tokens import IssuerAdmin

APIS: Final = 20
GRANTS: Final = 200
RESYNC: Final = 8.0
"""Seconds between two looks at everything, give or take a tenth; ten minutes unless it is set."""
QUIET: Final = float(os.environ.get("CONECTA_TEST_QUIET", "12"))
"""Seconds of rest before the operator's restart, and as many after it; longer than from one resync to the next."""
_STOPS: Final = 4.0
"""Seconds within which the operator ends when it is told to; kopf gives what hangs five."""
_AT_REST: Final = 3.0
"""Seconds without a write after which the cluster has converged."""


@pytest.fixture(scope="module")
def operator(platform: Layout) -> Iterator[OwnOperator]:
    """One that looks at everything often."""
    with without_sandbox_operator(platform):
        made = OwnOperator(platform, {"CONECTA_OPERATOR_RESYNC_INTERVAL": str(RESYNC)})
        made.start()
        try:
            yield made
        finally:
            made.end()


@pytest.fixture(scope="module")
def stage(platform: Layout, gateway: Gateway, issuer: IssuerAdmin, operator: OwnOperator) -> Iterator[Stage]:
    assert operator.is_alive
    with Stage.of(platform, gateway, issuer) as made:
        yield made
        made.clear()


def test_a_converged_cluster_is_not_written_to(platform: Layout, stage: Stage, operator: OwnOperator) -> None:
    """By its own audit log. A resync and a restart look at each of the 200 grants and 20 APIs, and find all well."""
    log = AuditLog(platform)
    stage.apis(APIS)
    eventually(lambda: not log.writes(_ago(_AT_REST)), 60)
    begun = datetime.now(UTC)
    lives = stage.crowd(GRANTS, apis=APIS)
    eventually(lambda: not log.writes(_ago(_AT_REST)), 60)
    _tell(log.writes(begun))
    assert {life.outcome()["opens"] for life in lives[:: GRANTS // 10]} == {200}

    rest_begun, looked = datetime.now(UTC), _reconciles()
    time.sleep(QUIET)
    assert _reconciles() - looked >= GRANTS + APIS, "there was a resync"
    assert log.writes(rest_begun) == []
    stopping = time.monotonic()
    operator.stop()
    assert time.monotonic() - stopping < _STOPS, "no watch was waited for"
    operator.start()
    operator.await_ready()
    time.sleep(QUIET)
    assert _reconciles() >= 2 * (GRANTS + APIS), "there was the first look at all, and a resync"
    assert log.writes(rest_begun) == []


def _ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def _reconciles() -> int:
    """How many the operator has finished since its start, by its own metrics."""
    exposition = request("GET", OPERATOR_PROBE, "/metrics").body.decode()
    counts = re.findall(r"^conecta_operator_reconciles_total\{.*\} ([0-9.]+)$", exposition, re.MULTILINE)
    return int(sum(map(float, counts)))


def _tell(writes: Sequence[Write]) -> None:
    kinds = by_kind(writes).most_common()
    print(f"{len(writes) / GRANTS:.2f} writes per issued grant:")  # noqa: T201 - a number to report
    print(*(f"  {number / GRANTS:5.2f} {kind}" for kind, number in kinds), sep="\n")  # noqa: T201 - the same
