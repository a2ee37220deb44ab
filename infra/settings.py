"""The settings of a stack: `environments/Pulumi.<stack>.yaml`, typed and parsed once.

`load` reads them where Pulumi leaves them for the program; `from_mapping` does the work and touches nothing outside.
The table of all keys is in `environments/README.md`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

import pulumi
import pulumi.runtime
from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from infra import names
from infra.network_settings import NetworkSettings
from infra.setting_types import (
    Cnpj,
    Count,
    HostAndPort,
    HttpsOrigin,
    Image,
    IpAddress,
    IpRange,
    Label,
    Memory,
    MilliCpu,
    Name,
    Port,
    SettingsPart,
    SiorgCode,
    Text,
)

__all__ = [
    "AgencySettings",
    "ClientAddressSettings",
    "ClusterSettings",
    "CpfKeySettings",
    "GatewaySettings",
    "IssuerSettings",
    "LimitSettings",
    "OperatorSettings",
    "RatesSettings",
    "StackSettings",
    "TlsSettings",
    "WrongSettings",
    "from_mapping",
    "load",
]

_RESERVED_NAMESPACE: Final = re.compile(r"default|kube-.*|conecta|conecta-.*|envoy-gateway-.*")


class WrongSettings(pulumi.RunError):
    """Some settings are wrong; the text names each of them and says what it ought to be."""


class ClusterSettings(SettingsPart):
    """Which cluster the stack is for."""

    context: Text
    """A context of the kubeconfig; never "the current one", which differs from desk to desk."""
    network: NetworkSettings = NetworkSettings()


class TlsSettings(SettingsPart):
    """A certificate of the gateway: two PEM files, or a Secret that somebody else keeps."""

    secret_name: Name | None = None
    certificate_file: Text | None = None
    key_file: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        files = (self.certificate_file, self.key_file)
        if all(files) if self.secret_name is None else not any(files):
            return self
        raise ValueError("give either secretName, or certificateFile and keyFile")


class ClientAddressSettings(SettingsPart):
    """Whom the gateway believes where a call comes from. Nobody, by default: the connection's own address counts."""

    trusted_proxies: Annotated[int, Field(ge=1, le=16)] | None = None
    """So many proxies stand before the gateway, and nobody reaches it past them."""
    trusted_ranges: Annotated[tuple[IpRange, ...], Field(max_length=64)] = ()
    """Proxies have addresses in these ranges, and nobody else has."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.trusted_proxies is not None and self.trusted_ranges:
            raise ValueError("give either trustedProxies or trustedRanges")
        return self


class CpfKeySettings(SettingsPart):
    """Where the key lies by which CPFs become pseudonyms in the access log; it is in no state and no configuration."""

    secret_name: Name | None = None
    """A Secret, with the key under `key`, where Envoy's pods are."""
    file: Text | None = None
    """A file that Envoy reads, relative to the project, for an Envoy that isn't a pod."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.secret_name is None) == (self.file is None):
            raise ValueError("give either secretName or file")
        return self


class GatewaySettings(SettingsPart):
    """The one door that every call comes through."""

    url: HttpsOrigin
    """As receivers see it; also what tokens name as their issuer."""
    port: Port = 443
    """Of the HTTPS listener."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    """How many Envoys serve it."""
    bind_address: IpAddress | None = None
    """Listen on this address only; else on all, which is right where the gateway is a pod."""
    client_address: ClientAddressSettings = ClientAddressSettings()
    cpf_key: CpfKeySettings | None = None
    """Without it, the access log doesn't tell one user from another."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    """The longest body of a request. The gateway keeps as much in memory for every call that it is receiving."""
    tls: TlsSettings
    client_certificate: TlsSettings | None = None
    """What the gateway shows to backends by TLS that ask for it, unless an API names another one."""


class IssuerSettings(SettingsPart):
    """The token issuer (Ory Hydra), reached by TLS only."""

    public_url: HttpsOrigin
    """Where it issues tokens and publishes its keys."""
    admin_url: HttpsOrigin
    """Where the operator keeps its OAuth 2 clients."""
    ca_config_map: Name
    """Holds, under `ca.crt`, who signs the issuer's certificate; in both platform namespaces."""

    @field_validator("public_url")
    @classmethod
    def _resolvable_by_the_gateway(cls, url: str) -> str:
        host = urlsplit(url).hostname or ""
        if "." not in host or host.replace(".", "").isdigit():
            raise ValueError("must name a host of two labels or more, not an address: the gateway resolves it")
        return url

    @property
    def host(self) -> str:
        """Whom the gateway asks for tokens, and whose name the certificate must bear."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def port(self) -> int:
        """Where it asks."""
        return urlsplit(self.public_url).port or 443

    @property
    def admin_port(self) -> int:
        """Where the operator asks."""
        return urlsplit(self.admin_url).port or 443


class OperatorSettings(SettingsPart):
    """How the operator runs. Its rights are the same either way."""

    workload: Literal["Deployment", "Process"] = "Deployment"
    """`Process`: somebody starts it outside of the cluster, with the rights of its service account."""
    image: Image | None = None

    @model_validator(mode="after")
    def _an_image_to_deploy(self) -> Self:
        if (self.workload == "Deployment") == (self.image is None):
            raise ValueError("image is needed for workload Deployment, and for no other")
        return self


class LimitSettings(SettingsPart):
    """How much one namespace of an agency may hold."""

    apis: Count = 50
    """Objects ConectaApi. What the operator writes for them isn't counted: nothing keeps it from doing its work."""
    grants: Count = 500
    """Objects ConectaGrant."""
    pods: Count = 100
    cpu: Count = 20
    """Cores that all pods together may ask for."""
    memory: Memory = "40Gi"
    """Memory that all pods together may be promised, and use at the most."""
    load_balancers: Count = 0
    """Services that the outside world reaches past the gateway, at load balancers or ports of nodes."""
    container_cpu: MilliCpu = "100m"
    """What a container asks for that doesn't say."""
    container_memory: Memory = "256Mi"
    """What a container gets, and no more, that doesn't say."""

    def but(self, others: "LimitSettings | None") -> "LimitSettings":
        """These limits, but for those that others state."""
        stated = {} if others is None else {name: getattr(others, name) for name in others.model_fields_set}
        return self.model_copy(update=stated)


class RatesSettings(SettingsPart):
    """Where calls are counted."""

    mode: Literal["Local", "Shared"] | None = None
    """`Local`: in each replica of the gateway. `Shared`: by one service for all. Default: what the replicas need."""
    image: Image | None = None
    """Of envoyproxy/ratelimit, by its digest: it is deployed beside the gateway."""
    redis: HostAndPort | None = None
    """Where that one keeps the counters."""
    redis_secret: Name | None = None
    """Holds the password of Redis, under `password`, in the gateway's namespace."""
    redis_tls: bool = False
    """Whether Redis is spoken to by TLS."""
    service: HostAndPort | None = None
    """An envoyproxy/ratelimit that somebody else runs, by the configuration in ConfigMap `conecta-ratelimit`."""

    @model_validator(mode="after")
    def _one_service(self) -> Self:
        if (self.image is None) != (self.redis is None):
            raise ValueError("image and redis are given together, or neither is")
        if self.service is not None and self.image is not None:
            raise ValueError("give either service, or image and redis")
        if self.redis is None and (self.redis_secret is not None or self.redis_tls):
            raise ValueError("redisSecret and redisTls are for the image's redis")
        return self

    @property
    def has_service(self) -> bool:
        """Whether there is something that counts for all; if not, each replica counts for itself."""
        return self.service is not None or self.image is not None


class AgencySettings(SettingsPart):
    """An agency (órgão): a tenant of the platform."""

    name: Text
    """In full, as people write it."""
    cnpj: Cnpj
    siorg: SiorgCode
    """Its code in SIORG, the register of the federal executive's structure."""
    namespaces: tuple[Label, ...] = ()
    """Default: one, of the agency's own name."""
    limits: LimitSettings | None = None
    """Where they differ from the stack's."""


class StackSettings(SettingsPart):
    """All settings of one stack."""

    cluster: ClusterSettings
    gateway: GatewaySettings
    issuer: IssuerSettings
    operator: OperatorSettings
    rates: Annotated[RatesSettings, Field(validate_default=True)] = RatesSettings()
    agencies: dict[Label, AgencySettings]
    """By the short name that prefixes client ids and group names; it never changes."""
    limits: LimitSettings = LimitSettings()
    """Of each namespace of each agency."""
    protect: bool = True
    """Whether namespaces and definitions, and with them what users wrote, are safe from `pulumi destroy`."""

    @field_validator("rates")
    @classmethod
    def _with_its_mode(cls, rates: RatesSettings, other: ValidationInfo) -> RatesSettings:
        gateway = other.data.get("gateway")
        mode = rates.mode or ("Shared" if gateway is not None and gateway.replicas > 1 else "Local")
        if (mode == "Shared") != rates.has_service:
            raise ValueError(
                "mode Shared, which is the default with several replicas of the gateway, needs either service, or "
                "image and redis; mode Local has no use for them"
            )
        return rates.model_copy(update={"mode": mode})

    @field_validator("agencies")
    @classmethod
    def _own_namespaces(cls, agencies: dict[str, AgencySettings]) -> dict[str, AgencySettings]:
        placed = {
            slug: agency if agency.namespaces else agency.model_copy(update={"namespaces": (slug,)})
            for slug, agency in agencies.items()
        }
        mistakes = list(_mistakes_of_namespaces(placed))
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return placed


def _mistakes_of_namespaces(agencies: Mapping[str, AgencySettings]) -> Iterable[str]:
    owners: dict[str, str] = {}
    for slug, agency in agencies.items():
        if slug == names.PLATFORM_AGENCY:
            yield f"{slug} is what the platform calls itself"
        for namespace in agency.namespaces:
            if _RESERVED_NAMESPACE.fullmatch(namespace):
                yield f"{slug}: namespace {namespace} is not an agency's to have"
            if namespace in owners:
                yield f"{slug}: namespace {namespace} is already listed for {owners[namespace]}"
            owners[namespace] = slug


def from_mapping(values: Mapping[str, Any]) -> StackSettings:
    """The settings, or WrongSettings which names every wrong key at once, by its path."""
    try:
        return StackSettings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        lines = sorted(f"  {_path(mistake['loc'])}: {_complaint(mistake)}" for mistake in error.errors())
        raise WrongSettings("Wrong settings of the stack:\n" + "\n".join(lines)) from None


def _path(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location if step != "[key]")
    return "conecta:" + "".join(steps).removeprefix(".")


def _complaint(mistake: Mapping[str, Any]) -> str:
    match mistake["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is no setting"
        case "string_type":
            return "must be text: a number needs quotes"
        case "value_error":
            return str(mistake["ctx"]["error"])
        case _:
            return str(mistake["msg"])


def load() -> StackSettings:
    """The settings of the stack that this program runs for."""
    prefix = f"{pulumi.get_project()}:"
    stored = pulumi.runtime.get_config_env()
    return from_mapping({key.removeprefix(prefix): _value(stored[key]) for key in stored if key.startswith(prefix)})


def _value(text: str) -> Any:
    """Pulumi hands over structured values and numbers as JSON, and texts as they are."""
    try:
        return json.loads(text)
    except ValueError:
        return text
