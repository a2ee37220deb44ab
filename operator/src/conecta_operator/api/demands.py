"""What an API demands of a call beyond a right to make it: headers, and how they must look."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from conecta_operator.api.fields import DNS_LABEL, Written, rules

__all__ = ["MOST_REQUIRED_HEADERS", "RESERVED_HEADER", "USER_CPF", "Request", "RequiredHeader", "UserCpf"]

USER_CPF: Final = "x-cpf-usuario"
"""The header by which clients of the programme say for whom they ask."""

MOST_REQUIRED_HEADERS: Final = 5
"""Each is a rule of the API's route, which has sixteen at most; others are for backends, and for the CPF."""

RESERVED_HEADER: Final = (
    "^(x-conecta-.*|x-envoy-.*|x-forwarded.*|x-ssl-.*|ssl-client-.*|x-amzn-.*|x-goog-.*|x-ms-client-.*"
    "|authorization|cf-connecting-ip|client-cert|client-cert-chain|client-ip|connection|content-length|cookie|expect"
    "|forwarded|host|keep-alive|proxy-.*|remote-user|te|trailer|transfer-encoding|true-client-ip|upgrade|via"
    "|x-client-cert|x-client-ip|x-cluster-client-ip|x-cpf-usuario|x-original-url|x-real-ip|x-remote-user|x-request-id"
    "|x-rewrite-url)$"
)
"""Headers of HTTP's own and those that the gateway takes off or sets: whoever demanded one would refuse every call."""

_COMPILES: Final = "''.matches(self) || !''.matches(self)"
"""An expression that is none is an error of either side, and so of the rule."""


class UserCpf(StrEnum):
    """Whether calls must say for whom they are made."""

    REQUIRED = "Required"
    """Each call bears one `x-cpf-usuario` that can be somebody's; others are refused (400)."""
    OPTIONAL = "Optional"
    """A call may do without, but what it bears can be somebody's; others are refused (400)."""
    NONE = "None"
    """The gateway doesn't look at the header, and passes it on like any other."""


class RequiredHeader(Written):
    """A header that each call must bear, once, as a pattern has it."""

    name: str = Field(
        max_length=50,
        pattern=DNS_LABEL,
        description=(
            "Name of the header in lower case, up to 50 characters (a-z, 0-9, and - in the middle). Example: x-orgao."
        ),
        json_schema_extra=rules(
            (
                f"!self.matches('{RESERVED_HEADER}')",
                "must not be a header of HTTP's or the gateway's own; for x-cpf-usuario there is userCpf",
            ),
        ),
    )
    pattern: str = Field(
        default=".+",
        min_length=1,
        max_length=100,
        description=(
            "Regular expression (RE2) that the whole value matches, in ASCII and up to 100 characters. "
            "Default: anything. Example: '[0-9]{5}'."
        ),
        json_schema_extra=rules(
            ("self.matches('^[ -~]+$')", "must be plain ASCII"),
            (_COMPILES, "must be a regular expression (RE2), such as [0-9]{5}"),
            (
                r"!self.matches('[{][0-9]*,?[0-9]{3,}') && !self.contains('){') && !self.matches('\\\\[pPCQ]')",
                r"must not repeat anything more than 99 times, nor a group by {}, nor use \p, \P, \C or \Q",
            ),
        ),
    )


class Request(Written):
    """What each call must bear, so that the backend needn't check it."""

    user_cpf: UserCpf = Field(
        default=UserCpf.NONE,
        description=(
            "Whether a call must say for whom it is made, in the header x-cpf-usuario (eleven digits, the last "
            "two of which check the others). Required: without it, or if it is malformed or sent twice, the call is "
            "refused (400). Optional: a call may do without it. By default the gateway doesn't look at it, and passes "
            "it on."
        ),
    )
    required_headers: tuple[RequiredHeader, ...] = Field(
        default=(),
        max_length=MOST_REQUIRED_HEADERS,
        description=(
            "Further headers that each call must bear, up to 5; a call without one, or with one that is malformed or "
            "sent twice, is refused (400). Example: [{name: x-orgao, pattern: '[0-9]{5}'}]."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
