"""ConectaApi: a data set that a provider agency offers through the gateway (Portuguese: API do órgão cedente)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from pydantic import AwareDatetime, ConfigDict, Field

from conecta_operator.api.backend import MOST_ROUTES, Backend, Route
from conecta_operator.api.conditions import Condition
from conecta_operator.api.demands import Request
from conecta_operator.api.fields import (
    DNS_LABEL,
    IMMUTABLE,
    NOT_BLANK,
    Cidr,
    Contact,
    DnsLabel,
    HttpsUrl,
    PlanName,
    Reported,
    Written,
    rules,
)
from conecta_operator.api.lifecycle import Lifecycle
from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import CONECTA_API, Manifest, ObjectKey
from conecta_operator.api.rates import CallsPerSecond, Capacity

__all__ = [
    "MAX_NAME",
    "MOST_REVOKED_KEYS",
    "NAME",
    "Access",
    "Approval",
    "ConectaApi",
    "ConectaApiSpec",
    "ConectaApiStatus",
    "DataClassification",
    "Documentation",
    "GrantCounts",
    "PlacedBackend",
    "Plan",
    "Preapproval",
    "RevokedKey",
]

NAME: Final = DNS_LABEL
MAX_NAME: Final = 50
"""The base path and the names of generated objects come from an API's name; they have suffixes, and 63 characters."""

MOST_REVOKED_KEYS: Final = 4096
"""An object has room for no more. Further keys get no more tokens, and wait until the first are forgotten."""

_KEEPS_BASE_PATH: Final = (
    "has(self.basePath) == has(oldSelf.basePath) && (!has(self.basePath) || self.basePath == oldSelf.basePath)"
)
_DEFAULT_IS_REACHED: Final = (
    "self.backend.weight > 0 || "
    "(has(self.routes) && self.routes.exists(route, route.pathPrefix == '/' && route.backend.weight > 0))"
)
_ROUTES_ARE_REACHED: Final = (
    "!has(self.routes) || self.routes.all(route, route.pathPrefix == '/' || "
    "self.routes.exists(other, other.pathPrefix == route.pathPrefix && other.backend.weight > 0))"
)


class Approval(StrEnum):
    """Who decides over a grant."""

    MANUAL = "Manual"
    """Whoever may approve for the API, unless the agency is preapproved."""
    AUTOMATIC = "Automatic"
    """Nobody: every registered agency is admitted."""


class DataClassification(StrEnum):
    """How much care the data needs."""

    PUBLIC = "Public"
    """Anybody may know it."""
    RESTRICTED = "Restricted"
    """For public bodies only; about nobody in particular."""
    PERSONAL = "Personal"
    """About identified or identifiable people (LGPD, art. 5, I)."""
    SENSITIVE = "Sensitive"
    """About people's health, beliefs, origin and the like (LGPD, art. 5, II)."""

    @property
    def demands_reasons(self) -> bool:
        """Whether each grant must say why and on whose word: purpose, legal basis and responsibility term."""
        return self in {DataClassification.PERSONAL, DataClassification.SENSITIVE}


class Documentation(Written):
    """Where the API is explained."""

    url: HttpsUrl = Field(
        description="Page that explains the API to developers; https only. Example: https://docs.receita.example/cep.",
    )


@dataclass(frozen=True)
class PlacedBackend:
    """A backend, the field that it is written in, and the paths that it answers for."""

    field: str
    prefix: str
    backend: Backend


class Plan(Written):
    """A way to use the API, which grants choose."""

    name: PlanName = Field(
        description=(
            "Name of the plan: 1 to 50 characters, without line breaks, and without spaces around it. Example: básico."
        ),
    )
    calls_per_second: CallsPerSecond | None = Field(
        default=None,
        description=(
            "Calls that each grant of the plan may make in a second, all its keys together, 1 to 100000; more get 429. "
            "Default: as many as the API's capacity. Example: 10."
        ),
    )
    active: bool = Field(
        default=True,
        description="Whether the plan admits grants. Those of an inactive plan are stopped. Default: true.",
    )


class Preapproval(Written):
    """An agency that is admitted without asking."""

    agency: DnsLabel = Field(description="Short name of the receiver agency on this platform. Example: saude.")
    plans: tuple[PlanName, ...] = Field(
        default=(),
        max_length=16,
        description="Plans of the API that the agency may have; all when empty. Example: [básico].",
    )


class Access(Written):
    """Who may use the API."""

    approval: Approval = Field(
        default=Approval.MANUAL,
        description=(
            "Manual: each ConectaGrant waits until somebody who answers for the API approves it, unless its agency is "
            "preapproved. Automatic: every grant of a registered agency is approved at once. Default: Manual."
        ),
    )
    preapproved: tuple[Preapproval, ...] = Field(
        default=(),
        max_length=1000,
        description=(
            "Agencies whose grants are approved at once, up to 1000. Removing one revokes what was approved so. "
            "Example: [{agency: saude, plans: [básico]}]."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["agency"]},
    )


class ConectaApiSpec(Written):
    """What the provider wants to offer, and where it is to be found."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (_KEEPS_BASE_PATH, "is immutable, and can't be added or removed: create another ConectaApi", ".basePath"),
            (_DEFAULT_IS_REACHED, "must be above 0, here or in a route for /: else nothing answers", ".backend.weight"),
            (_ROUTES_ARE_REACHED, "must give each pathPrefix a backend with a weight above 0", ".routes"),
        ),
    )

    title: str = Field(
        max_length=100,
        pattern=NOT_BLANK,
        description="Name in the catalogue, up to 100 characters and not blank. Example: Consulta CEP.",
    )
    description: str | None = Field(
        default=None,
        max_length=4000,
        description="What the API offers, for people who look for data; up to 4000 characters.",
    )
    contacts: tuple[Contact, ...] = Field(
        min_length=1,
        max_length=10,
        description=(
            "Who answers for the API, 1 to 10 people or teams. "
            "Example: [{name: Dados Cadastrais, email: dados@receita.example}]."
        ),
    )
    documentation: Documentation | None = Field(
        default=None,
        description="Where the API is explained to developers. Example: {url: https://docs.receita.example/cep}.",
    )
    version: str = Field(
        max_length=10,
        pattern=r"^v[0-9]+$",
        json_schema_extra=rules(IMMUTABLE),
        description="Major version: v and a number. Immutable: a new version is another ConectaApi. Example: v2.",
    )
    base_path: str | None = Field(
        default=None,
        max_length=100,
        pattern=r"^/api-[a-z0-9-]+/v[0-9]+$",
        description=(
            "Path under which the gateway serves the API, of the form /api-<name>/v<number>. Immutable. If two "
            "ConectaApis claim one path, the older one has it. Default: /api-<metadata.name>/<version>. "
            "Example: /api-cep/v1."
        ),
    )
    backend: Backend = Field(
        description=(
            "Where the gateway sends the calls: exactly one of a Service of the cluster and an https URL. "
            "Example: {service: {name: cep, port: 8080}}."
        ),
    )
    routes: tuple[Route, ...] = Field(
        default=(),
        max_length=MOST_ROUTES,
        description=(
            "Further backends, up to 8, each for a part of the paths. Those with one pathPrefix share its calls by "
            "weight, and those with / share with backend: so calls move from one backend to another little by little. "
            "Example: [{pathPrefix: /consulta, backend: {url: 'https://novo.receita.example/cep'}}]."
        ),
    )
    access: Access = Field(
        default=Access(),
        description="Who may use the API, and who decides that. Example: {approval: Automatic}.",
    )
    plans: tuple[Plan, ...] = Field(
        default=(),
        max_length=16,
        description=(
            "Ways to use the API, up to 16. If there are any, each grant names one of them. "
            "Example: [{name: básico, callsPerSecond: 10}]."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    capacity: Capacity = Field(
        default=Capacity(),
        description="What the backend stands, by all consumers together. Example: {callsPerSecond: 200}.",
    )
    request: Request = Field(
        default=Request(),
        description="What each call must bear, else it is refused (400). Example: {userCpf: Required}.",
    )
    source_ranges: tuple[Cidr, ...] = Field(
        default=(),
        max_length=64,
        description=(
            "Ranges of addresses, up to 64, from which the API may be called at all; a call from elsewhere is refused "
            "(403). Where a grant has sourceRanges of its own, both must hold. Default: any. Example: [203.0.113.0/24]."
        ),
    )
    lifecycle: Lifecycle = Field(
        default=Lifecycle(),
        description=(
            "Whether the API is to be used, deprecated or retired, and what its users are told of it. A new major "
            "version is another ConectaApi beside this one. Example: {stage: Deprecated, "
            "sunset: '2027-07-01T00:00:00-03:00'}."
        ),
    )
    data_classification: DataClassification = Field(
        default=DataClassification.PUBLIC,
        description=(
            "How much care the data needs. Public: anybody may know it. Restricted: for public bodies, about nobody in "
            "particular. Personal: about people (LGPD, art. 5, I). Sensitive: about their health, beliefs, origin and "
            "the like (LGPD, art. 5, II). For Personal and Sensitive, each grant must state purpose, legalBasis and "
            "responsibilityTerm. Default: Public."
        ),
    )

    def offers(self, plan: str | None) -> bool:
        """Whether a grant may name this plan, or (None) none: an API with plans has no other way to be used."""
        return plan in [offered.name for offered in self.plans] if self.plans else plan is None


class RevokedKey(Reported):
    """A key whose tokens are refused."""

    client_id: str = Field(max_length=255, description="OAuth 2 client id of the key.")
    until: AwareDatetime = Field(description="When the last token of the key has expired, and the entry can go.")


class GrantCounts(Reported):
    """How many grants the API has."""

    active: int = Field(ge=0, description="Grants whose key opens the API.")
    pending: int = Field(ge=0, description="Grants that wait for a decision.")


class ConectaApiStatus(Reported):
    """What became of it: written by the operator, read by everybody."""

    observed_generation: int = Field(
        default=0,
        ge=0,
        description="The metadata.generation that this status is about. If that is higher, it is outdated.",
    )
    url: str | None = Field(
        default=None,
        max_length=2048,
        description="Where receivers call the API. Example: https://apigateway.conecta.example/api-cep/v1.",
    )
    deprecated_at: AwareDatetime | None = Field(
        default=None,
        description="When the operator first found the API deprecated, for want of lifecycle.deprecatedAt.",
    )
    grants: GrantCounts | None = Field(default=None, description="How many grants the API has, by what they are at.")
    revoked_keys: tuple[RevokedKey, ...] = Field(
        default=(),
        max_length=MOST_REVOKED_KEYS,
        description="Keys that are ended or suspended and whose tokens may be unexpired: the gateway refuses them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["clientId"]},
    )
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=16,
        description="Accepted, ResolvedRefs, Programmed, and Ready for all; Reconciling or Stalled while it is so.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


class ConectaApi(Reported):
    """An API of a provider agency, which the gateway offers to applications of other agencies.

    It lives in a namespace of the provider. Its name has at most 50 characters (a-z, 0-9, and - in the middle). An
    application may call it once a ConectaGrant that refers to it is Ready.
    """

    metadata: Metadata
    spec: ConectaApiSpec
    status: ConectaApiStatus = ConectaApiStatus()

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """The API that an object as the API server returns it describes."""
        return cls.model_validate(manifest)

    @property
    def key(self) -> ObjectKey:
        """Identifies the object."""
        return ObjectKey(CONECTA_API, self.metadata.namespace, self.metadata.name)

    @property
    def placed_backends(self) -> tuple[PlacedBackend, ...]:
        """All backends, the default one first."""
        default = PlacedBackend("spec.backend", "/", self.spec.backend)
        others = (
            PlacedBackend(f"spec.routes[{index}].backend", route.path_prefix, route.backend)
            for index, route in enumerate(self.spec.routes)
        )
        return default, *others

    @property
    def base_path(self) -> str:
        """Path under which the gateway serves the API, without a trailing slash."""
        return self.spec.base_path or f"/api-{self.metadata.name}/{self.spec.version}"
