"""What all layers have in common: every object has a fixed name, the layer as its parent, and a limit to waiting."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

__all__ = ["ENVOY_GATEWAY", "GATEWAY_API", "POD_SECURITY", "Layer"]

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
ENVOY_GATEWAY: Final = "gateway.envoyproxy.io/v1alpha1"
POD_SECURITY: Final = {
    f"pod-security.kubernetes.io/{mode}{part}": value
    for mode in ("enforce", "audit", "warn")
    for part, value in (("", "restricted"), ("-version", "latest"))
}
"""Labels of a namespace: only pods that can't harm their node run in it. Who applies a workload is told at once."""

_TIMEOUTS: Final = pulumi.CustomTimeouts(create="2m", update="2m", delete="5m")
"""A namespace goes when all in it has gone, which takes longer than anything else here."""


class Layer(pulumi.ComponentResource):
    """A part of the platform. A child with a new name says what it was `formerly`; else it is made anew."""

    def _child(
        self,
        *,
        after: Sequence[pulumi.Resource] = (),
        protect: bool | None = None,
        retain: bool | None = None,
        formerly: str | None = None,
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(after),
            protect=protect,
            retain_on_delete=retain,
            custom_timeouts=_TIMEOUTS,
            aliases=[pulumi.Alias(name=formerly)] if formerly else None,
        )

    def _namespace(
        self,
        logical_name: str,
        name: str,
        *,
        protect: bool,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> k8s.core.v1.Namespace:
        return k8s.core.v1.Namespace(
            logical_name,
            metadata={"name": name, "labels": dict(labels or {}), "annotations": dict(annotations or {})},
            opts=self._child(protect=protect or None),
        )

    def _custom(
        self,
        logical_name: str,
        kind: tuple[str, str],
        name: str,
        spec: Mapping[str, Any],
        *,
        namespace: pulumi.Input[str] | None = None,
        after: Sequence[pulumi.Resource] = (),
        formerly: str | None = None,
    ) -> k8s.apiextensions.CustomResource:
        api_version, kind_name = kind
        metadata: dict[str, pulumi.Input[str]] = {"name": name}
        if namespace is not None:
            metadata["namespace"] = namespace
        return k8s.apiextensions.CustomResource(
            logical_name,
            api_version,
            kind_name,
            spec=spec,
            metadata=metadata,
            opts=self._child(after=after, formerly=formerly),
        )
