"""What counts calls for all replicas of the gateway: envoyproxy/ratelimit, which keeps its counters in Redis."""

import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.layer import Layer
from infra.rates import BUCKET, DOMAIN
from infra.settings import RatesSettings

__all__ = ["RateService", "RateServiceArgs", "counter_of"]

_CALLS: Final = 8081
_HEALTH: Final = 8080
_METRICS: Final = 9090
_LABELS: Final = {"app.kubernetes.io/name": names.RATELIMIT}
_FILE: Final = "conecta.yaml"


@dataclass(frozen=True, kw_only=True)
class RateServiceArgs:
    """`namespace` is the Gateway's."""

    rates: RatesSettings
    namespace: pulumi.Input[str]


class RateService(Layer):
    """The service's settings and, unless somebody else runs it, two pods of it."""

    def __init__(self, name: str, args: RateServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:rates:RateService", name, None, opts)
        place: Any = {"name": names.RATELIMIT, "namespace": args.namespace}
        settings = k8s.core.v1.ConfigMap("rate-settings", metadata=place, data=configuration(), opts=self._child())
        if args.rates.image is not None:
            kind, spec = ("apps/v1", "Deployment"), deployment(args.rates)
            self._custom("rate-service", kind, names.RATELIMIT, spec, namespace=args.namespace, after=[settings])
            k8s.core.v1.Service("rate-address", metadata=place, spec=service(), opts=self._child())
        self.register_outputs({})


def counter_of(rates: RatesSettings) -> str:
    """Where the gateway reaches the service."""
    return rates.service or f"{names.RATELIMIT}.{names.GATEWAY_NAMESPACE}.svc:{_CALLS}"


def configuration() -> dict[str, str]:
    """One kind of counter for APIs and one for grants, each as large as Envoy's own buckets (`infra/rates.py`)."""
    limit = {"unit": "second", "requests_per_unit": BUCKET}
    grant = {"key": "grant", "rate_limit": limit}
    counters = {"domain": DOMAIN, "descriptors": [{"key": "api", "rate_limit": limit, "descriptors": [grant]}]}
    return {_FILE: json.dumps(counters, indent=2)}


def environment(rates: RatesSettings) -> list[dict[str, Any]]:
    """The service's settings, as it reads them.

    A call that one limit refuses must not count for another (`STOP_…`). Counters last a second: Redis need not keep
    them when it ends.
    """
    plain = {
        "RUNTIME_ROOT": "/data",
        "RUNTIME_SUBDIRECTORY": "ratelimit",
        "RUNTIME_IGNOREDOTFILES": "true",
        "RUNTIME_WATCH_ROOT": "false",
        "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_URL": rates.redis or "",
        "REDIS_TLS": str(rates.redis_tls).lower(),
        "REDIS_TIMEOUT": "1s",
        "REDIS_PIPELINE_WINDOW": "150us",
        "STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT": "true",
        "EXPIRATION_JITTER_MAX_SECONDS": "0",
        "USE_STATSD": "false",
        "USE_PROMETHEUS": "true",
        "PROMETHEUS_ADDR": f":{_METRICS}",
    }
    password = {"secretKeyRef": {"name": rates.redis_secret, "key": "password"}}
    return [
        *({"name": name, "value": value} for name, value in plain.items()),
        *([] if rates.redis_secret is None else [{"name": "REDIS_AUTH", "valueFrom": password}]),
    ]


def deployment(rates: RatesSettings) -> dict[str, Any]:
    """Two pods, so that one may go; without any rights."""
    return {
        "replicas": 2,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": _pod(rates)},
    }


def _pod(rates: RatesSettings) -> dict[str, Any]:
    identity = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532}
    return {
        "automountServiceAccountToken": False,
        "securityContext": {**identity, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(rates)],
        "volumes": [{"name": "settings", "configMap": {"name": names.RATELIMIT}}],
    }


def _container(rates: RatesSettings) -> dict[str, Any]:
    healthy = {"httpGet": {"path": "/healthcheck", "port": "health"}, "periodSeconds": 5}
    return {
        "name": "ratelimit",
        "image": rates.image,
        "command": ["/bin/ratelimit"],
        "env": environment(rates),
        "ports": [
            {"name": "calls", "containerPort": _CALLS},
            {"name": "health", "containerPort": _HEALTH},
            {"name": "metrics", "containerPort": _METRICS},
        ],
        "readinessProbe": healthy,
        "livenessProbe": {**healthy, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "settings", "mountPath": "/data/ratelimit/config", "readOnly": True}],
    }


def service() -> Any:
    """Where its pods are."""
    return {"selector": _LABELS, "ports": [{"name": "calls", "port": _CALLS, "targetPort": "calls"}]}
