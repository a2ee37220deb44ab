"""The operator: its rights and its workload, by its own chart."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.layer import POD_SECURITY, Layer
from infra.network import listener_pod_port
from infra.settings import StackSettings

__all__ = ["OperatorRelease", "ReleaseArgs"]


@dataclass(frozen=True, kw_only=True)
class ReleaseArgs:
    """`chart` is the folder of the operator's chart."""

    chart: str
    settings: StackSettings


class OperatorRelease(Layer):
    """The chart, in a namespace of its own where only harmless pods may run."""

    def __init__(self, name: str, args: ReleaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:release:OperatorRelease", name, None, opts)
        protect = args.settings.protect
        home = self._namespace("system-namespace", names.SYSTEM_NAMESPACE, protect=protect, labels=POD_SECURITY)
        k8s.helm.v4.Chart(
            "operator",
            chart=args.chart,
            name=names.OPERATOR,
            namespace=home.metadata["name"],
            values=values(args.settings),
            opts=self._child(),
        )
        self.register_outputs({})


def values(settings: StackSettings) -> dict[str, Any]:
    """Yield the chart's values: where the gateway and the issuer are, and how the operator runs."""
    gateway = {"namespace": names.GATEWAY_NAMESPACE, "name": names.GATEWAY, "listener": names.LISTENER}
    issuer, network = settings.issuer, settings.cluster.network
    image = {} if settings.operator.image is None else {"image": settings.operator.image}
    return {
        "workload": settings.operator.workload,
        **image,
        "gateway": {
            **gateway,
            "url": settings.gateway.url,
            "drainSeconds": names.DRAIN_SECONDS,
            "proxyNamespace": network.proxy_namespace,
            "proxyPort": listener_pod_port(settings.gateway.port),
        },
        "dns": {"namespace": network.dns.namespace, "labels": network.dns.labels, "port": network.dns.port},
        "privateBackendRanges": list(network.private_backend_ranges),
        "issuer": {
            "url": settings.gateway.url,
            "publicUrl": issuer.public_url,
            "adminUrl": issuer.admin_url,
            "caConfigMap": issuer.ca_config_map,
        },
    }
