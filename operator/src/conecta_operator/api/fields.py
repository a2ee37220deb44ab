r"""What the models of this package share: their strictness, and fields that mean the same everywhere.

The rules are written once, here and beside the fields: pydantic checks them when the operator reads, and `schema` makes
them the CRDs' rules, so that the API server refuses the object in the first place. Regular expressions are those that
Rust's `regex` and Go's RE2 read alike: hence no `\s`, which is Unicode's for the one and ASCII's for the other.
"""

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = [
    "DNS_LABEL",
    "HTTPS_URL",
    "IMMUTABLE",
    "NOT_BLANK",
    "Cidr",
    "Contact",
    "DnsLabel",
    "DnsSubdomain",
    "HttpsUrl",
    "Moment",
    "PlanName",
    "Reported",
    "Rule",
    "Text",
    "Written",
    "rules",
    "without_defaults",
]

Rule = dict[str, str]
"""One entry of x-kubernetes-validations."""

DNS_LABEL: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_DNS_SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


class Written(BaseModel):
    """What users write. A field that we don't know is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


def without_defaults(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of what is reported."""
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
        json_schema_extra=without_defaults,
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
HTTPS_URL: Final = (
    ("self.startsWith('https://')", "must start with https://"),
    (
        "!self.startsWith('https://') || (isURL(self) && url(self).getHostname() != '')",
        "must be a URL with a host name, such as https://servicos.receita.example/cep",
    ),
)
HttpsUrl = Annotated[str, Field(max_length=2048, json_schema_extra=rules(*HTTPS_URL))]

NOT_BLANK: Final = r"[^ \t\r\n]"
_PLAN_NAME: Final = r"^[^ \t\r\n]([^\t\r\n]*[^ \t\r\n])?$"
_MOMENT: Final = (
    r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)

Text = Annotated[str, Field(pattern=NOT_BLANK)]
"""Something that people read, and that says something."""
PlanName = Annotated[str, Field(max_length=50, pattern=_PLAN_NAME, description="Name of a plan. Example: básico.")]
Moment = Annotated[AwareDatetime, Field(json_schema_extra={"pattern": _MOMENT, "maxLength": 35})]
"""RFC 3339 with a zone, in the years that we reckon with: from 2000 to 2999."""
Cidr = Annotated[
    str,
    Field(
        max_length=43,
        description="Range of IP addresses. Example: 203.0.113.0/24.",
        json_schema_extra=rules(
            ("isCIDR(self)", "must be a range of IP addresses, such as 203.0.113.0/24 or 2001:db8::/32"),
            (
                "!isCIDR(self) || cidr(self).masked() == cidr(self)",
                "must start at the first address of the range: 203.0.113.0/24, not 203.0.113.7/24",
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
