"""Where an API is on its way from being offered to being withdrawn."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from conecta_operator.api.fields import HTTPS_URL, Moment, Written, rules

__all__ = ["Lifecycle", "Stage"]


class Stage(StrEnum):
    """Whether an API is to be used."""

    PUBLISHED = "Published"
    """By all means."""
    DEPRECATED = "Deprecated"
    """No longer for what is new; answers say so."""
    RETIRED = "Retired"
    """Not at all: calls are answered 410."""


_LinkTarget = Annotated[
    str,
    Field(
        max_length=1000,
        json_schema_extra=rules(
            *HTTPS_URL,
            ("self.matches('^[!-~]+$')", "must be plain ASCII without spaces: write other characters percent-encoded"),
            ("!self.matches('[<>\"]')", 'must not have <, > or ": write them percent-encoded'),
        ),
    ),
]


class Lifecycle(Written):
    """The stage of an API, and what its users are told of it in headers of the answers."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.deprecatedAt) || !has(self.sunset) || self.sunset > self.deprecatedAt",
                "must be after deprecatedAt",
                ".sunset",
            ),
        ),
    )

    stage: Stage = Field(
        default=Stage.PUBLISHED,
        description=(
            "Published: to be used. Deprecated: still served, while answers bear the headers Deprecation (RFC 9745), "
            "Sunset (RFC 8594) and Link. Retired: calls are answered 410, and the backend gets none. "
            "Default: Published."
        ),
    )
    deprecated_at: Moment | None = Field(
        default=None,
        description=(
            "Since when the API is deprecated, or from when on it will be, with its zone. Default: when the operator "
            "first found it deprecated. Example: 2027-01-01T00:00:00-03:00."
        ),
    )
    sunset: Moment | None = Field(
        default=None,
        description=(
            "When the API is expected to be retired, with its zone. It is an announcement: the stage changes by hand. "
            "Example: 2027-07-01T00:00:00-03:00."
        ),
    )
    link: _LinkTarget | None = Field(
        default=None,
        description=(
            "Page about the deprecation, https only. Default: documentation.url. "
            "Example: https://docs.receita.example/cep/v1-encerramento."
        ),
    )
    successor: _LinkTarget | None = Field(
        default=None,
        description=(
            "Where the API that comes after this one is, https only. "
            "Example: https://apigateway.conecta.example/api-cep/v2."
        ),
    )
