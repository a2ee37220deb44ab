"""What the operator counts, for Prometheus."""

from collections.abc import Callable
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

__all__ = ["Metrics"]

_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One registry with all metrics; each is named here and nowhere else."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._reconciles = Counter(
            "conecta_operator_reconciles",
            "Reconciles, by kind of object and how they ended: done, gone, interrupted, rejected or bug.",
            ("kind", "outcome"),
            registry=self.registry,
        )
        self._durations = Histogram(
            "conecta_operator_reconcile_duration_seconds",
            "How long a reconcile took, with all its requests.",
            ("kind",),
            buckets=_DURATIONS,
            registry=self.registry,
        )
        self._retries = Counter(
            "conecta_operator_retries",
            "Reconciles that failed and are tried again.",
            ("kind",),
            registry=self.registry,
        )
        self._issuer_failures = Counter(
            "conecta_operator_issuer_failures",
            "Reconciles that failed because the token issuer was away or could not.",
            registry=self.registry,
        )

    def reconciled(self, *, kind: str, outcome: str, seconds: float) -> None:
        """A reconcile has ended."""
        self._reconciles.labels(kind, outcome).inc()
        self._durations.labels(kind).observe(seconds)

    def retried(self, *, kind: str) -> None:
        """A reconcile has failed and is tried again."""
        self._retries.labels(kind).inc()

    def issuer_failed(self) -> None:
        """A reconcile has failed because of the issuer."""
        self._issuer_failures.inc()

    def watch_queue(self, *, depth: Callable[[], int], age_of_oldest: Callable[[], timedelta]) -> None:
        """Show the queue's state whenever the metrics are read."""
        waiting = Gauge(
            "conecta_operator_queue_depth", "Keys that need work and wait for a worker.", registry=self.registry
        )
        waiting.set_function(depth)
        oldest = Gauge(
            "conecta_operator_queue_oldest_seconds",
            "How long the key that waits longest has waited.",
            registry=self.registry,
        )
        oldest.set_function(lambda: age_of_oldest().total_seconds())

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
