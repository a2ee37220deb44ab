"""How the key of a grant is handed over, and how it is replaced: `spec.credential`."""

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from conecta_operator.api import durations
from conecta_operator.api.fields import DnsSubdomain, Rule, Written, rules

__all__ = ["Credential"]

_LONGEST_OVERLAP: Final = timedelta(days=365)
_LONGEST_INTERVAL: Final = timedelta(days=3650)
_IS_NO_DURATION: Final = f"type(self) != string || !self.matches('{durations.DURATION}')"
_SECONDS: Final = (
    "int(self.substring(0, size(self) - 1)) * {'d': 86400, 'h': 3600, 'm': 60, 's': 1}[self.substring(size(self) - 1)]"
)
_OR_NEVER: Final = f"^(0|{durations.DURATION.strip('^$')})$"


def _at_most(longest: timedelta) -> dict[str, list[Rule]]:
    return rules(
        (
            f"{_IS_NO_DURATION} || {_SECONDS} <= {longest // timedelta(seconds=1)}",
            f"must be at most {longest.days}d",
        ),
    )


def _duration(value: Any) -> Any:
    return durations.parse(value) if isinstance(value, str) else value


def _duration_or_never(value: Any) -> Any:
    is_zero = value == "0" or (type(value) is int and value == 0)
    return timedelta(0) if is_zero else _duration(value)


Overlap = Annotated[
    timedelta,
    BeforeValidator(_duration),
    Field(le=_LONGEST_OVERLAP, strict=True),
    WithJsonSchema(
        {"type": "string", "maxLength": 9, "pattern": durations.DURATION, **_at_most(_LONGEST_OVERLAP)},
    ),
]
RotationInterval = Annotated[
    timedelta,
    BeforeValidator(_duration_or_never),
    Field(le=_LONGEST_INTERVAL, strict=True),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "minimum": 0,
            "maximum": 0,
            "maxLength": 9,
            "pattern": _OR_NEVER,
            **_at_most(_LONGEST_INTERVAL),
        },
    ),
]


class Credential(Written):
    """How the key is handed over."""

    secret_name: DnsSubdomain | None = Field(
        default=None,
        description=(
            "Name of the Secret, in the namespace of the grant, into which the operator writes the key. A Secret of "
            "that name that is not the grant's is never touched. Default: <metadata.name>-conecta."
        ),
    )
    rotate_every: RotationInterval = Field(
        default=timedelta(days=180),
        json_schema_extra={"default": "180d"},
        description=(
            "How old a key becomes before the operator replaces it: a whole number and d, h, m or s, at most 3650d. "
            "0 (or 0s) means never. Default: 180d. Example: 90d."
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
    serial: int = Field(
        default=0,
        ge=0,
        json_schema_extra=rules(("self >= oldSelf", "must not become smaller: raise it to get another key")),
        description=(
            "Raise it to have the key replaced now; with overlap 0s if the key leaked. It can't become smaller. "
            "Default: 0. Example: 1."
        ),
    )

    @property
    def rotates(self) -> bool:
        """Whether keys are replaced when they are `rotate_every` old."""
        return self.rotate_every > timedelta(0)
