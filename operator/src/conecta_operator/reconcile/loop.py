"""One reconcile: gather → decide → carry out → report, and the one place that says what follows from a failure."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Manifest, ObjectKey
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import Conflict, IssuerUnavailable, OperatorError, Rejected, TransientError
from conecta_operator.observability.metrics import Metrics
from conecta_operator.plan import api, grant, outcome
from conecta_operator.plan.plans import ApiPlan, GrantPlan
from conecta_operator.reconcile.gather import Gather
from conecta_operator.reconcile.report import Report
from conecta_operator.reconcile.steps import Steps, described
from conecta_operator.reconcile.workqueue import Clock, QueueClosed, WorkQueue
from conecta_operator.render.forms import Forms

__all__ = ["LONGEST_RECONCILE", "MOST_CONFLICTS", "Outcome", "Reconciler"]

logger = logging.getLogger(__name__)

MOST_CONFLICTS: Final = 5
"""Somebody else wrote first: read again at once, but not for ever."""

LONGEST_RECONCILE: Final = timedelta(seconds=60)
"""Far beyond what a few requests take, each with its own timeout. One that hangs would block its key for ever."""


class Outcome(StrEnum):
    """How a reconcile ended; a label of the metrics."""

    DONE = "done"
    GONE = "gone"
    """The object does not exist (any more)."""
    INTERRUPTED = "interrupted"
    """Something outside failed; it is tried again."""
    REJECTED = "rejected"
    """What we wrote was refused."""
    BUG = "bug"
    """Something happened that nobody foresaw."""


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """What the workers do."""

    queue: WorkQueue[ObjectKey]
    cluster: Cluster
    gather: Gather
    steps: Steps
    report: Report
    forms: Forms
    metrics: Metrics
    clock: Clock

    async def work(self) -> None:
        """Work on one key after the other, until the queue is closed."""
        with suppress(QueueClosed):
            while True:
                key = await self.queue.take()
                try:
                    await self._work_on(key)
                finally:
                    self.queue.done(key)

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """Make the world what the object asks for, as far as is possible now. Raises what went wrong."""
        subject = await self.cluster.get(key)
        if subject is None:
            if key.kind == CONECTA_API:
                self.metrics.api_gone(f"{key.namespace}/{key.name}")
            return Outcome.GONE
        plan = await self._plan(key, subject)
        if plan.steps:
            logger.info("%s: %s", key, "; ".join(described(step) for step in plan.steps))
        subject = await self.steps.carry_out(plan.steps, subject)
        if plan.status is not None:
            await self.report(subject, plan.status)
        if plan.look_again_in is not None:
            self.queue.add_after(key, plan.look_again_in)
        return Outcome.DONE

    async def _plan(self, key: ObjectKey, subject: Manifest) -> ApiPlan | GrantPlan:
        if key.kind == CONECTA_API:
            decided = api.desired(await self.gather.api(subject), self.forms)
            ends = {f"{end.holder.kind.name} {end.holder.name}": end.at for end in decided.certificate_ends}
            self.metrics.certificates_seen(api=f"{key.namespace}/{key.name}", ends=ends)
            return decided
        if key.kind == CONECTA_GRANT:
            world = await self.gather.grant(subject)
            if world.keys is None:
                self.metrics.issuer_failed()
            return grant.desired(world, self.forms)
        raise ValueError(f"{key} is of no kind that is reconciled")

    async def _work_on(self, key: ObjectKey) -> None:
        started = self.clock.time()
        try:
            result = await self._insist(key)
        except Exception as failure:  # noqa: BLE001 - the one place where every failure ends
            result = await self._after_failure(key, failure)
        else:
            self.queue.forget(key)
        self.metrics.reconciled(kind=key.kind.name, outcome=result, seconds=self.clock.time() - started)

    async def _insist(self, key: ObjectKey) -> Outcome:
        for _ in range(MOST_CONFLICTS - 1):
            with suppress(Conflict):
                return await self._in_time(key)
        return await self._in_time(key)

    async def _in_time(self, key: ObjectKey) -> Outcome:
        try:
            async with asyncio.timeout(LONGEST_RECONCILE.total_seconds()):
                return await self.reconcile(key)
        except TimeoutError:
            raise TransientError(f"not finished within {LONGEST_RECONCILE.total_seconds():g} s") from None

    async def _after_failure(self, key: ObjectKey, failure: Exception) -> Outcome:
        delay = self.queue.retry_later(key)
        self.metrics.retried(kind=key.kind.name)
        if isinstance(failure, IssuerUnavailable):
            self.metrics.issuer_failed()
        again = f"next attempt in {delay.total_seconds():.1f} s"
        match failure:
            case TransientError():
                result = Outcome.INTERRUPTED
                logger.warning("%s: %s; %s", key, failure, again)
            case Rejected():
                result = Outcome.REJECTED
                logger.error("%s: %s; %s", key, failure, again)
            case _:
                result = Outcome.BUG
                logger.error("%s: a bug; %s", key, again, exc_info=failure)
        await self._tell(key, failure)
        return result

    async def _tell(self, key: ObjectKey, failure: Exception) -> None:
        """Let the object's status say what failed, if that is possible at all."""
        try:
            subject = await self.cluster.get(key)
            if subject is not None:
                await self.report(subject, _interrupted(key, subject, failure, self.gather.now()))
        except OperatorError as second:
            # The next attempt tells, or makes it needless.
            logger.warning("%s: its status can't say what failed: %s", key, second)
        except Exception:  # a worker that dies takes the operator with it
            logger.exception("%s: its status can't say what failed: a bug", key)


def _interrupted(key: ObjectKey, subject: Manifest, failure: Exception, now: datetime) -> Manifest:
    model = ConectaApi if key.kind == CONECTA_API else ConectaGrant
    seen = model.parse(subject)
    return outcome.interrupted(seen.status.conditions, generation=seen.metadata.generation, error=failure, now=now)
