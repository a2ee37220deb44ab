"""Whether the operator does its job, for whoever restarts it if not. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

__all__ = ["LONGEST_WAIT", "Facts", "is_well"]

LONGEST_WAIT: Final = timedelta(minutes=5)
"""No key waits that long while the workers work: a full resync of 10,000 objects takes a minute."""
_MISSED_RESYNCS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What health is judged by; shown as they are at /healthz. Ages count from the start until the first time."""

    waiting: int
    """Keys that need work."""
    age_of_oldest: timedelta
    """How long the oldest of them has waited."""
    age_of_last_change: timedelta
    """Since when the watches have been silent. In a quiet cluster that says nothing."""
    age_of_last_resync: timedelta
    """Since when not everything has been looked at."""


def is_well(facts: Facts, resync_interval: timedelta) -> bool:
    """False when keys wait without being worked on, or when nothing has been looked at for several intervals.

    The latter is so while the API server is away, too: a restart does no harm then, and ends what else may be wrong.
    """
    allowed = _MISSED_RESYNCS * resync_interval + LONGEST_WAIT
    return facts.age_of_oldest <= LONGEST_WAIT and facts.age_of_last_resync <= allowed
