"""ConectaGrant: the right of one application to use one API (Portuguese: concessão, chave de acesso)."""

from enum import StrEnum
from typing import Final, Self

from pydantic import AwareDatetime, ConfigDict, Field

from conecta_operator.api.approvals import ApprovalSeen, GrantApproval, Terms
from conecta_operator.api.conditions import Condition
from conecta_operator.api.credential import Credential
from conecta_operator.api.fields import (
    IMMUTABLE,
    Cidr,
    Contact,
    DnsLabel,
    Moment,
    PlanName,
    Reported,
    Text,
    Written,
    rules,
)
from conecta_operator.api.legal_basis import LegalBasis
from conecta_operator.api.metadata import Metadata
from conecta_operator.api.network import Workload
from conecta_operator.api.objects import CONECTA_GRANT, Manifest, ObjectKey

__all__ = [
    "MAX_NAME",
    "MOST_ENDED_KEYS",
    "ApiReference",
    "Application",
    "Binding",
    "ConectaGrant",
    "ConectaGrantSpec",
    "ConectaGrantStatus",
    "EndedKey",
    "GrantKey",
    "KeyState",
    "ResponsibilityTerm",
]

MAX_NAME: Final = 63
"""Objects made for a grant carry its name as the value of a label."""

MOST_ENDED_KEYS: Final = 64
"""Of further ones, tokens are refused at once."""


class ApiReference(Written):
    """A ConectaApi of any namespace."""

    namespace: DnsLabel = Field(description="Namespace of the provider. Example: receita.")
    name: DnsLabel = Field(description="Name of the ConectaApi there. Example: cep.")


class Application(Written):
    """One system of the receiver."""

    name: DnsLabel = Field(
        json_schema_extra=rules(IMMUTABLE),
        description=(
            "Name of the system that will call: a-z, 0-9 and - in the middle, up to 63 characters. Different systems "
            "have different names, so that their use is told apart. Immutable. Example: agendamento."
        ),
    )
    description: str | None = Field(
        default=None,
        max_length=1000,
        description="What the system does, for whoever decides over the grant; up to 1000 characters.",
    )
    contact: Contact | None = Field(
        default=None,
        description="Who answers for the system. Example: {name: Agendamento, email: agendamento@saude.example}.",
    )


class ResponsibilityTerm(Written):
    """The paper by which the receiver answers for its use of the data (Portuguese: termo de responsabilidade)."""

    number: Text = Field(
        max_length=100, description="Number of the term, which every call is traceable to. Example: 2026/0142."
    )
    signed_by: Text = Field(
        max_length=200,
        description="Who signed it for the receiver: name and office, never a CPF. Example: Ana Souza, diretora.",
    )
    signed_at: Moment = Field(
        description="When it was signed, with its zone. Example: 2026-11-24T15:00:00-03:00.",
    )
    digest: str = Field(
        max_length=71,
        pattern=r"^sha256:[0-9a-f]{64}$",
        description=(
            "SHA-256 of the signed document: sha256: and 64 hexadecimal digits in small letters, as sha256sum prints."
        ),
    )


class ConectaGrantSpec(Written):
    """What the receiver asks for."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.validFrom) || !has(self.validUntil) || self.validUntil > self.validFrom",
                "must be after validFrom",
                ".validUntil",
            ),
        ),
    )

    api_ref: ApiReference = Field(
        json_schema_extra=rules(IMMUTABLE),
        description=(
            "The API to be used. Immutable: another API is another grant. Example: {namespace: receita, name: cep}."
        ),
    )
    application: Application = Field(
        description="The system of the receiver that is to call. Example: {name: agendamento}."
    )
    plan: PlanName | None = Field(
        default=None,
        description="One of the API's plans; needed if it has any, and only then. Example: básico.",
    )
    purpose: Text | None = Field(
        default=None,
        max_length=1000,
        description=(
            "What the data is needed for, up to 1000 characters. Required for an API with Personal or Sensitive data. "
            "Example: Conferir o endereço de quem agenda consultas."
        ),
    )
    legal_basis: LegalBasis | None = Field(
        default=None,
        description=(
            "Article and item of the LGPD (Law 13,709/2018) that allows it: of art. 7 (personal data), 11 (sensitive "
            "data), 23 or 26 (public bodies). Required for an API with Personal or Sensitive data. Example: Art7III "
            "(public policies)."
        ),
    )
    public_service: Text | None = Field(
        default=None,
        max_length=200,
        description="The public service that uses the data, up to 200 characters. Example: Agendamento de consultas.",
    )
    estimated_calls_per_year: int | None = Field(
        default=None,
        ge=0,
        description="How many calls the receiver expects to make in a year. Example: 1200000.",
    )
    responsibility_term: ResponsibilityTerm | None = Field(
        default=None,
        description=(
            "The term by which the receiver answers for its use of the data. Required for an API with Personal or "
            "Sensitive data. Example: {number: 2026/0142, signedBy: Ana Souza, signedAt: 2026-11-24T15:00:00-03:00, "
            "digest: sha256:...}."
        ),
    )
    source_ranges: tuple[Cidr, ...] = Field(
        default=(),
        max_length=64,
        description=(
            "Ranges of the addresses that the application calls from, up to 64; a call from elsewhere is refused. "
            "Default: any. Example: [203.0.113.0/24]."
        ),
    )
    valid_from: Moment | None = Field(
        default=None,
        description=(
            "When the right begins, with its zone; there is no key before. Default: at once. "
            "Example: 2027-01-01T00:00:00-03:00."
        ),
    )
    valid_until: Moment | None = Field(
        default=None,
        description=(
            "When the right ends, with its zone, after validFrom: the key is ended then. "
            "Default: never. Example: 2028-01-01T00:00:00-03:00."
        ),
    )
    suspended: bool = Field(
        default=False,
        description="true stops all calls at once; false lets them go on, with the same key. Default: false.",
    )
    credential: Credential = Field(
        default=Credential(),
        description="Where the key is written, and how it is replaced. Example: {secretName: cep, overlap: 7d}.",
    )
    workload: Workload | None = Field(
        default=None,
        description=(
            "The application's pods, if it runs in this cluster: NetworkPolicies are written for them. "
            "Example: {podSelector: {matchLabels: {app: agendamento}}}."
        ),
    )

    @property
    def terms(self) -> Terms:
        """What has to be decided on."""
        return Terms(
            plan=self.plan,
            purpose=self.purpose,
            legal_basis=self.legal_basis,
            application=self.application.name,
            source_ranges=self.source_ranges,
            valid_until=self.valid_until,
        )


class KeyState(StrEnum):
    """Whether a key is the one to use."""

    ACTIVE = "Active"
    RETIRING = "Retiring"


class GrantKey(Reported):
    """A key of the grant, without its secret."""

    client_id: str = Field(max_length=255, description="OAuth 2 client id.")
    state: KeyState = Field(description="Active: the one in the Secret. Retiring: replaced, works until retiresAt.")
    issued_at: AwareDatetime = Field(description="When the key was issued.")
    retires_at: AwareDatetime | None = Field(default=None, description="When a replaced key stops working.")


class EndedKey(Reported):
    """A key that was replaced and has served its overlap."""

    client_id: str = Field(max_length=255, description="OAuth 2 client id.")
    until: AwareDatetime = Field(description="When its last token has expired, and the entry can go.")


class Binding(Reported):
    """Where the key lies."""

    name: str = Field(max_length=253, description="Name of the Secret with the key, in the namespace of the grant.")


class ConectaGrantStatus(Reported):
    """What became of it: written by the operator, read by everybody."""

    observed_generation: int = Field(
        default=0,
        ge=0,
        description="The metadata.generation that this status is about. If that is higher, it is outdated.",
    )
    url: str | None = Field(
        default=None,
        max_length=2048,
        description="Where the application calls the API. Example: https://apigateway.conecta.example/api-cep/v1.",
    )
    token_url: str | None = Field(
        default=None,
        max_length=2048,
        description=(
            "Where the application gets its tokens (OAuth 2 client credentials). "
            "Example: https://apigateway.conecta.example/oauth2/jwt-token."
        ),
    )
    approval: GrantApproval | None = Field(
        default=None,
        description="What was decided, by whom, and on which terms. Written by whoever may approve the API, too.",
    )
    approval_seen: ApprovalSeen | None = Field(
        default=None,
        description=(
            "For which ConectaApi somebody approved. One that was deleted and created again under its name is another: "
            "the approval counts for it once it has been written anew, with another at. Absent when a rule decided."
        ),
    )
    keys: tuple[GrantKey, ...] = Field(
        default=(),
        max_length=64,
        description="The keys that work, oldest first.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["clientId"]},
    )
    ended_keys: tuple[EndedKey, ...] = Field(
        default=(),
        max_length=MOST_ENDED_KEYS,
        description=(
            "Keys that were replaced and whose overlap is over, while their tokens may be unexpired: when the grant is "
            "stopped, these are refused, too."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["clientId"]},
    )
    binding: Binding | None = Field(
        default=None,
        description=(
            "The Secret with the key, as a provisioned service of the Service Binding specification "
            "(https://servicebinding.io/spec/core/1.1.0/)."
        ),
    )
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=16,
        description=(
            "Accepted, ResolvedRefs, Approved, CredentialsReady, Programmed, and Ready for all; "
            "Reconciling or Stalled while it is so."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


class ConectaGrant(Reported):
    """The request of a receiver agency that one of its applications may use one API, and the right once approved.

    It lives in a namespace of the receiver; its name has at most 63 characters. Once it is Ready, the key lies in the
    Secret that status.binding names.
    """

    metadata: Metadata
    spec: ConectaGrantSpec
    status: ConectaGrantStatus = ConectaGrantStatus()

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """The grant that an object as the API server returns it describes."""
        return cls.model_validate(manifest)

    @property
    def key(self) -> ObjectKey:
        """Identifies the object."""
        return ObjectKey(CONECTA_GRANT, self.metadata.namespace, self.metadata.name)

    @property
    def secret_name(self) -> str:
        """Name of the Secret, in the grant's namespace, that holds the key."""
        return self.spec.credential.secret_name or f"{self.metadata.name}-conecta"
