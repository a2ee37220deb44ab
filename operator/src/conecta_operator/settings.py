"""All that can be set, from the environment: CONECTA_OPERATOR_<FIELD>."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from conecta_operator.api.settings import Network, Platform

__all__ = ["PREFIX", "Settings", "WrongSettings"]

PREFIX = "CONECTA_OPERATOR_"


class WrongSettings(Exception):
    """Which settings are missing or wrong: all of them, one a line."""


def _url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme != "https" or not separator or not rest:
        raise ValueError("must be a URL that starts with https://")
    if text.endswith("/"):
        raise ValueError("must not end with /")
    return text


HttpsUrl = Annotated[str, AfterValidator(_url)]
Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
PodLabels = Annotated[str, Field(pattern=r"^[^=,\s]+=[^=,\s]*(,[^=,\s]+=[^=,\s]*)*$")]


class Settings(BaseSettings):
    """How one operator is set up. Kubernetes itself is found by KUBECONFIG, else by the pod's service account."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    gateway_namespace: Name = "conecta-gateway"
    """Namespace of the Gateway that the APIs' routes attach to."""

    gateway_name: Name = "conecta"
    """Name of that Gateway."""

    gateway_listener: Name = "https"
    """The one listener of the Gateway that the routes attach to."""

    gateway_proxy_namespace: Name = "envoy-gateway-system"
    """Namespace of the gateway's pods. Envoy Gateway starts them in its own one, unless it is told otherwise."""

    gateway_proxy_port: int = Field(default=10443, ge=1, le=65535)
    """The port on which these pods listen, which network policies name: Envoy Gateway adds 10000 to a listener's port
    below 1024."""

    gateway_url: HttpsUrl
    """Where receivers reach the gateway, such as https://apigateway.conecta.example; what `status.url` starts with."""

    gateway_drain: float = Field(default=60.0, ge=0.0, le=3600.0)
    """Seconds that connections outlive the gateway's listener when that changes: Envoy's `--drain-time-s`, which Envoy
    Gateway sets to `shutdown.drainTimeout` of the EnvoyProxy. New signing keys come into use so much later."""

    issuer_url: HttpsUrl
    """The `iss` of the tokens, exactly."""

    issuer_admin_url: HttpsUrl
    """Where the operator manages clients at the token issuer. Reachable by the operator only. An issuer serves one
    cluster: clients that an operator made for grants which are not in this cluster are deleted."""

    issuer_public_url: HttpsUrl
    """Where the operator reads the issuer's public keys (its /.well-known/jwks.json)."""

    issuer_ca_file: FilePath | None = None
    """Certificate authorities (PEM) by which the issuer is trusted. Default: those of the system."""

    allow_local_backends: bool = False
    """Whether `backend.url` may name *.localhost. For a sandbox on one machine only: elsewhere it would let a provider
    reach what the gateway's own host serves to itself."""

    dns_namespace: Name = "kube-system"
    """Namespace of the cluster's DNS, the only one that network policies let pods ask."""

    dns_labels: PodLabels = "k8s-app=kube-dns"
    """Labels of its pods, as kubectl takes them: app=a,component=b."""

    dns_port: int = Field(default=53, ge=1, le=65535)
    """The port on which these pods listen, by UDP and TCP."""

    private_backend_ranges: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private addresses at which backends by `backend.url` may be, as a JSON list of ranges. Network policies let the
    gateway reach these and all public ones, and no others."""

    user: str = "system:serviceaccount:conecta-system:conecta-operator"
    """The operator's own user name at the API server: what it decides by a rule, it writes down under this name."""

    resync_interval: float = Field(default=600.0, ge=1.0, le=86400.0)
    """Seconds between two looks at everything, give or take a tenth. Watches tell of changes at once; this finds what
    they can't: a client deleted at the issuer, or an object deleted while a watch was interrupted."""

    workers: int = Field(default=8, ge=1, le=64)
    """How many objects are worked on at once. They wait for answers most of the time; more than some eight only help
    against a slow API server."""

    probe_address: IPv4Address | IPv6Address = IPv4Address("0.0.0.0")  # noqa: S104 - a kubelet asks from outside of the pod
    """Address on which /healthz, /readyz and /metrics are served. On a shared machine: 127.0.0.1."""

    probe_port: int = Field(default=9810, ge=1, le=65535)
    """Port on which /healthz, /readyz and /metrics are served."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least important records that are logged."""

    @classmethod
    def load(cls) -> Self:
        """The settings of this process's environment. Raises WrongSettings, which names every variable at fault."""
        try:
            return cls()
        except ValidationError as error:
            faults = (_told(fault["loc"][0], fault["msg"]) for fault in error.errors())
            raise WrongSettings("\n".join(dict.fromkeys(faults))) from None

    def platform(self) -> Platform:
        """What decisions may know of these settings."""
        return Platform(
            gateway_namespace=self.gateway_namespace,
            gateway_name=self.gateway_name,
            gateway_listener=self.gateway_listener,
            gateway_drain=timedelta(seconds=self.gateway_drain),
            gateway_url=self.gateway_url,
            issuer_url=self.issuer_url,
            operator_user=self.user,
            allow_local_backends=self.allow_local_backends,
            own_urls=(self.gateway_url, self.issuer_url, self.issuer_admin_url, self.issuer_public_url),
            network=Network(
                proxy_namespace=self.gateway_proxy_namespace,
                listener_port=self.gateway_proxy_port,
                dns_namespace=self.dns_namespace,
                dns_labels=dict(_pair(label) for label in self.dns_labels.split(",")),
                dns_port=self.dns_port,
                private_backend_ranges=tuple(map(str, self.private_backend_ranges)),
            ),
        )

    @property
    def resync_every(self) -> timedelta:
        """The resync interval as a duration."""
        return timedelta(seconds=self.resync_interval)


def _pair(label: str) -> tuple[str, str]:
    key, _, value = label.partition("=")
    return key, value


def _told(field: object, fault: str) -> str:
    return f"{PREFIX}{str(field).upper()}: {fault.removeprefix('Value error, ')}"
