"""What the operator counts, for Prometheus."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

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
        self._certificates = _Certificates()
        self.registry.register(self._certificates)

    def certificates_seen(self, *, api: str, ends: Mapping[str, datetime]) -> None:
        """These are the objects with certificates that an API refers to now, and when the first in each ends."""
        self._certificates.ends[api] = ends

    def api_gone(self, api: str) -> None:
        """The API refers to nothing any longer."""
        self._certificates.ends.pop(api, None)

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


class _Certificates(Collector):
    """How long they last is reckoned whenever the metrics are read."""

    def __init__(self) -> None:
        self.ends: dict[str, Mapping[str, datetime]] = {}

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "conecta_operator_certificate_remaining_seconds",
            "How long the first certificate still lasts, by API and by the object that it is in; negative when over.",
            labels=("api", "holder"),
        )
        now = datetime.now(UTC)
        for api, ends in sorted(self.ends.items()):
            for holder, end in sorted(ends.items()):
                family.add_metric((api, holder), (end - now).total_seconds())
        yield family
