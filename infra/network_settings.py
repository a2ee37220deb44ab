"""The settings of a stack that network policies need: where everything is that pods may reach, or be reached from."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from infra import names
from infra.setting_types import IpRange, Label, PodLabels, Port, SettingsPart

__all__ = ["ANYWHERE", "DnsSettings", "NetworkSettings", "Place"]


class Place(SettingsPart):
    """Where something runs, for network policies: pods of a namespace, or addresses."""

    namespace: Label | None = None
    labels: PodLabels | None = None
    """Of the pods; all of the namespace when there are none."""
    ranges: Annotated[tuple[IpRange, ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _pods_or_addresses(self) -> Self:
        if (self.namespace is None) == (not self.ranges) or (self.labels and self.namespace is None):
            raise ValueError("give either namespace, perhaps with labels, or ranges")
        return self


ANYWHERE: Final = Place(ranges=("0.0.0.0/0", "::/0"))


class DnsSettings(SettingsPart):
    """The cluster's DNS, the only one that pods may ask where their traffic is restricted."""

    namespace: Label = "kube-system"
    labels: PodLabels = "k8s-app=kube-dns"
    port: Port = 53
    """On which its pods listen."""


class NetworkSettings(SettingsPart):
    """What network policies have to name. Ports are those of pods, which may differ from those of Services."""

    proxy_namespace: Label = names.ENVOY_GATEWAY_NAMESPACE
    """Where the gateway's pods run."""
    clients: Annotated[tuple[Place, ...], Field(min_length=1, max_length=16)] = (ANYWHERE,)
    """Who may reach the gateway, beside the workloads of grants."""
    dns: DnsSettings = DnsSettings()
    api_server: Place = ANYWHERE
    api_server_ports: Annotated[tuple[Port, ...], Field(min_length=1, max_length=4)] = (443, 6443)
    issuer: Place = ANYWHERE
    issuer_public_port: Port | None = None
    """Default: the port of the issuer's URL."""
    issuer_admin_port: Port | None = None
    quota: Place = ANYWHERE
    """Redis, or the rate limit service that somebody else runs: whichever `rates` names."""
    quota_port: Port | None = None
    """Default: the port that `rates` names."""
    monitoring: Place | None = None
    """Who reads the metrics of gateway and operator."""
    private_backend_ranges: Annotated[tuple[IpRange, ...], Field(max_length=64)] = ()
    """Private addresses at which backends by URL may be; all public ones are allowed anyway."""
