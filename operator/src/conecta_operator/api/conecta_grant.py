"""ConectaGrant: the right of one application to use one API (Portuguese: concessão, chave de acesso)."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BeforeValidator, Field, WithJsonSchema

from conecta_operator.api import durations
from conecta_operator.api.conditions import Condition
from conecta_operator.api.fields import IMMUTABLE, Contact, DnsLabel, DnsSubdomain, Reported, Written, rules
from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import CONECTA_GRANT, Manifest, ObjectKey

__all__ = [
    "MAX_NAME",
    "ApiReference",
    "Application",
    "Binding",
    "ConectaGrant",
    "ConectaGrantSpec",
    "ConectaGrantStatus",
    "Credential",
    "GrantKey",
    "KeyState",
]

MAX_NAME: Final = 63
"""Objects made for a grant carry its name as the value of a label."""

_LONGEST_OVERLAP: Final = timedelta(days=365)
_IS_SHORT_ENOUGH: Final = (
    f"!self.matches('{durations.DURATION}') || int(self.substring(0, size(self) - 1)) * "
    "{'d': 86400, 'h': 3600, 'm': 60, 's': 1}[self.substring(size(self) - 1)] "
    f"<= {_LONGEST_OVERLAP // timedelta(seconds=1)}"
)


def _duration(value: Any) -> Any:
    return durations.parse(value) if isinstance(value, str) else value


Overlap = Annotated[
    timedelta,
    BeforeValidator(_duration),
    Field(le=_LONGEST_OVERLAP, strict=True),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 9,
            "pattern": durations.DURATION,
            **rules(
                (_IS_SHORT_ENOUGH, "must be at most 365d"),
            ),
        },
    ),
]


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


class Credential(Written):
    """How the key is handed over."""

    secret_name: DnsSubdomain | None = Field(
        default=None,
        description=(
            "Name of the Secret, in the namespace of the grant, into which the operator writes the key. A Secret of "
            "that name that is not the grant's is never touched. Default: <metadata.name>-conecta."
        ),
    )
    overlap: Overlap = Field(
        default=timedelta(hours=72),
        json_schema_extra={"default": "72h"},
        description=(
            "How long a replaced key goes on working beside the new one: a whole number and d, h, m or s, at most "
            "365d. 0s ends it at once. Default: 72h. Example: 7d."
        ),
    )


class ConectaGrantSpec(Written):
    """What the receiver asks for."""

    api_ref: ApiReference = Field(
        json_schema_extra=rules(IMMUTABLE),
        description=(
            "The API to be used. Immutable: another API is another grant. Example: {namespace: receita, name: cep}."
        ),
    )
    application: Application = Field(
        description="The system of the receiver that is to call. Example: {name: agendamento}."
    )
    credential: Credential = Field(
        default=Credential(),
        description=("Where the key is written, and how it is replaced. Example: {secretName: cep, overlap: 7d}."),
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
    keys: tuple[GrantKey, ...] = Field(
        default=(),
        max_length=64,
        description="The keys that work, oldest first.",
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
