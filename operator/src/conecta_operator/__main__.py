"""Runs the operator: settings → wiring → watches, workers, resync and probes, until SIGTERM or one of them dies."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from random import SystemRandom
from typing import Final

import kopf

from conecta_operator.api.objects import ObjectKey
from conecta_operator.apply.hydra import HydraIssuer
from conecta_operator.apply.kubernetes import KubernetesCluster
from conecta_operator.errors import OperatorError
from conecta_operator.handlers.indices import IndexedLandscape
from conecta_operator.handlers.lifecycle import kopf_settings, until_served
from conecta_operator.handlers.registry import build_registry
from conecta_operator.observability import logs, probes
from conecta_operator.observability.metrics import Metrics
from conecta_operator.observability.probes import Page
from conecta_operator.reconcile.gather import Gather, now
from conecta_operator.reconcile.health import Facts, is_well
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.loop import Reconciler
from conecta_operator.reconcile.report import Report
from conecta_operator.reconcile.resync import IssuerWatch, Resync
from conecta_operator.reconcile.secrets_watch import SecretsWatch
from conecta_operator.reconcile.signing_keys import SigningKeys
from conecta_operator.reconcile.steps import Steps
from conecta_operator.reconcile.strays import Strays
from conecta_operator.reconcile.sweep import Sweep
from conecta_operator.reconcile.workqueue import WorkQueue
from conecta_operator.render.forms import Forms
from conecta_operator.settings import Settings, WrongSettings

logger = logging.getLogger("conecta_operator")

_DIED: Final = 1
_WRONG_SETTINGS: Final = 2
_AGAIN: Final = 2.0
_LAST_WORK: Final = timedelta(seconds=10)
"""How long reconciles that have begun may go on after SIGTERM; what they leave is finished after the next start."""


class Operator:
    """All parts, wired."""

    def __init__(self, settings: Settings, cluster: KubernetesCluster, issuer: HydraIssuer) -> None:
        self._settings = settings
        self._cluster = cluster
        self._clock = clock = asyncio.get_running_loop()
        self._started = clock.time()
        self._metrics = Metrics()
        self._landscape = landscape = IndexedLandscape()
        random = SystemRandom()
        self._queue = queue = WorkQueue[ObjectKey](clock=clock, random=random)
        self._intake = intake = Intake(queue=queue, landscape=landscape, clock=clock)
        platform, forms = settings.platform(), Forms.load()
        signing_keys = SigningKeys(
            issuer=issuer,
            cluster=cluster,
            landscape=landscape,
            platform=platform,
            forms=forms,
            clock=clock,
            now=now,
        )
        steps = Steps(cluster=cluster, issuer=issuer)
        self._reconciler = Reconciler(
            queue=queue,
            cluster=cluster,
            gather=Gather(
                cluster=cluster,
                issuer=issuer,
                signing_keys=signing_keys,
                landscape=landscape,
                platform=platform,
            ),
            steps=steps,
            report=Report(cluster),
            forms=forms,
            metrics=self._metrics,
            clock=clock,
        )
        self._resync = Resync(
            cluster=cluster,
            queue=queue,
            landscape=landscape,
            intake=intake,
            sweep=Sweep(cluster=cluster, issuer=issuer, steps=steps, platform=settings.platform()),
            interval=settings.resync_every,
            clock=clock,
            random=random,
        )
        self._issuer_watch = IssuerWatch(
            signing_keys=signing_keys, queue=queue, landscape=landscape, intake=intake, random=random
        )
        self._strays = Strays(
            cluster=cluster,
            namespace=settings.gateway_proxy_namespace,
            interval=settings.resync_every,
            random=random,
        )
        self._secrets_watch = SecretsWatch(
            cluster=cluster, queue=queue, landscape=landscape, intake=intake, random=random
        )
        self._metrics.watch_queue(depth=lambda: len(queue), age_of_oldest=lambda: queue.age_of_oldest)

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises an ExceptionGroup when a part dies."""
        async with asyncio.TaskGroup() as group:
            # Before kopf, which on its way out ends all tasks that are younger than itself.
            workers = [group.create_task(self._reconciler.work()) for _ in range(self._settings.workers)]
            parts = self._resync.run(), self._issuer_watch.run(), self._strays.run(), self._serve_probes()
            secrets = group.create_task(self._secrets_watch.run())
            others = [secrets, *(group.create_task(part) for part in parts)]
            await self._watch(secrets)
            logger.info("stopping")
            self._queue.close()
            await asyncio.wait(workers, timeout=_LAST_WORK.total_seconds())
            for task in (*workers, *others):
                task.cancel()

    async def _watch(self, secrets: asyncio.Task[None]) -> None:
        """Until SIGTERM. What fails before anything was listed is tried again: nothing rests on it yet."""

        def end_other_watches() -> None:
            if self._intake.is_open.is_set():
                secrets.cancel()

        while True:
            await until_served(self._cluster)
            logger.info("watching")
            try:
                await kopf.operator(
                    registry=build_registry(
                        intake=self._intake,
                        landscape=self._landscape,
                        access=self._cluster.api_server,
                        at_the_end=end_other_watches,
                    ),
                    settings=kopf_settings(),
                    clusterwide=True,
                    standalone=True,
                )
            except Exception as failure:
                if self._intake.is_open.is_set():
                    raise
                logger.warning("the watches can't be opened, next attempt in %g s: %r", _AGAIN, failure)
                _end_on_sigterm()
                await asyncio.sleep(_AGAIN)
            else:
                return

    async def _serve_probes(self) -> None:
        address, port = str(self._settings.probe_address), self._settings.probe_port
        try:
            await probes.serve(
                address=address,
                port=port,
                pages={"/healthz": self._health, "/readyz": self._readiness, "/metrics": self._exposition},
            )
        except OSError as error:
            raise OperatorError(f"probes can't be served at {address} port {port}: {error.strerror}") from None

    def _health(self) -> Page:
        facts = Facts(
            waiting=len(self._queue),
            age_of_oldest=self._queue.age_of_oldest,
            age_of_last_change=self._age(self._intake.last_change),
            age_of_last_resync=self._age(self._resync.last_success),
        )
        status = HTTPStatus.OK if is_well(facts, self._settings.resync_every) else HTTPStatus.SERVICE_UNAVAILABLE
        body = json.dumps(asdict(facts), default=lambda age: round(age.total_seconds(), 1))
        return Page(status, "application/json", body.encode())

    def _readiness(self) -> Page:
        if self._intake.is_open.is_set():
            return Page(HTTPStatus.OK, "text/plain; charset=utf-8", b"everything is watched\n")
        return Page(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", b"not everything is listed yet\n")

    def _exposition(self) -> Page:
        return Page(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", self._metrics.exposition())

    def _age(self, moment: float | None) -> timedelta:
        return timedelta(seconds=self._clock.time() - (self._started if moment is None else moment))


async def run(settings: Settings) -> None:
    """Connect, and run the operator until it is told to end."""
    _end_on_sigterm()
    issuer = HydraIssuer(
        admin_url=settings.issuer_admin_url, public_url=settings.issuer_public_url, ca_file=settings.issuer_ca_file
    )
    async with KubernetesCluster() as cluster, issuer:
        await Operator(settings, cluster, issuer).run()


def _end_on_sigterm() -> None:
    """Have SIGTERM cancel the task that this is called from, until kopf puts a handler of its own in place of that."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def main() -> int:
    """Yield the exit code: 0 after SIGTERM, 1 when a part died, 2 for wrong settings."""
    try:
        settings = Settings.load()
    except WrongSettings as wrong:
        sys.stderr.write(f"The operator's settings are wrong:\n{wrong}\n")
        return _WRONG_SETTINGS
    logs.set_up(settings.log_level)
    try:
        asyncio.run(run(settings))
    except asyncio.CancelledError:
        return 0
    except Exception as failure:
        for cause in _causes(failure):
            if isinstance(cause, OperatorError):
                logger.critical("the operator ends: %s", cause)
            else:
                logger.critical("the operator ends: a part of it died", exc_info=cause)
        return _DIED
    return 0


def _causes(failure: Exception) -> Iterable[Exception]:
    if isinstance(failure, ExceptionGroup):
        for part in failure.exceptions:
            yield from _causes(part)
    else:
        yield failure


if __name__ == "__main__":
    sys.exit(main())
