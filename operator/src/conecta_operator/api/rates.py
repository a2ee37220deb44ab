"""How many calls are taken: of a grant by its plan, and of all consumers together by the API's capacity."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from conecta_operator.api.fields import Written

__all__ = ["CallsPerSecond", "Capacity", "QuotaFailure"]

CallsPerSecond = Annotated[int, Field(ge=1, le=100_000)]
"""A rate, and as many calls at once after a second of silence."""


class QuotaFailure(StrEnum):
    """What becomes of calls while the replicas of the gateway can't count together."""

    OPEN = "Open"
    """Each replica goes on by its own count."""
    CLOSED = "Closed"
    """They are refused: a backend that would not stand more than it was promised is not to be risked."""


class Capacity(Written):
    """What the backend stands."""

    calls_per_second: CallsPerSecond | None = Field(
        default=None,
        description=(
            "Calls of all consumers together that the backend stands in a second, 1 to 100000; more get 429. "
            "Default: no limit. Example: 200."
        ),
    )
    on_quota_failure: QuotaFailure = Field(
        default=QuotaFailure.OPEN,
        description=(
            "What becomes of calls while the gateway's replicas can't count together; it matters only on a platform "
            "that counts so (rates.mode Shared). Open: each replica goes on by its own count, so that up to as many "
            "times the rates as there are replicas may pass. Closed: calls get 503 until they count together again. "
            "Default: Open."
        ),
    )
