r"""What the models of this package share: their strictness, and fields that mean the same everywhere.

The rules are written once, here and beside the fields: pydantic checks them when the operator reads, and `schema` makes
them the CRDs' rules, so that the API server refuses the object in the first place. Regular expressions are those that
Rust's `regex` and Go's RE2 read alike: hence no `\s`, which is Unicode's for the one and ASCII's for the other.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = [
    "DNS_LABEL",
    "IMMUTABLE",
    "Contact",
    "DnsLabel",
    "DnsSubdomain",
    "HttpsUrl",
    "Reported",
    "Rule",
    "Written",
    "rules",
]

Rule = dict[str, str]
"""One entry of x-kubernetes-validations."""

DNS_LABEL: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_DNS_SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


class Written(BaseModel):
    """What users write. A field that we don't know is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Reported(BaseModel):
    """What the cluster or the operator reports. Fields that this version doesn't know are somebody else's.

    Defaults are for the reader: in the cluster, what is not reported is absent.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        json_schema_extra=_without_defaults,
    )


def rules(*checks: tuple[str, str] | tuple[str, str, str]) -> dict[str, Any]:
    """CEL rules for `json_schema_extra`: (expression, message) or (expression, message, path of the field at fault).

    The API server evaluates them: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
    custom-resource-definitions/#validation-rules
    """
    names = ("rule", "message", "fieldPath")
    entries: list[Rule] = [dict(zip(names, check, strict=False)) for check in checks]
    return {"x-kubernetes-validations": entries}


IMMUTABLE: Final = ("self == oldSelf", "is immutable: create another object")

DnsLabel = Annotated[str, Field(max_length=63, pattern=DNS_LABEL)]
DnsSubdomain = Annotated[str, Field(max_length=253, pattern=_DNS_SUBDOMAIN)]
HttpsUrl = Annotated[
    str,
    Field(
        max_length=2048,
        json_schema_extra=rules(
            ("self.startsWith('https://')", "must start with https://"),
            (
                "!self.startsWith('https://') || (isURL(self) && url(self).getHostname() != '')",
                "must be a URL with a host name, such as https://servicos.receita.example/cep",
            ),
        ),
    ),
]


class Contact(Written):
    """Somebody who answers."""

    name: str = Field(
        min_length=1,
        max_length=100,
        description="Person or team that answers. Example: Coordenação de Dados Cadastrais.",
    )
    email: str = Field(
        max_length=254,
        pattern=r"^[^@ \t\r\n]+@[^@ \t\r\n]+\.[^@ \t\r\n]+$",
        description="Address for questions and incidents. Example: dados@receita.example.",
    )
    phone: str | None = Field(
        default=None,
        min_length=1,
        max_length=40,
        description="Telephone, in any notation that people read. Example: +55 61 3412-0000.",
    )
