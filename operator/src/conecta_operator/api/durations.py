"""How durations and moments are written in objects."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["DURATION", "parse", "timestamp"]

DURATION: Final = "^[0-9]{1,8}[dhms]$"
"""A whole number and its unit: d(ays), h(ours), m(inutes) or s(econds)."""

_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def parse(text: str) -> timedelta:
    """The duration that a text such as 72h or 90d means. Raises ValueError for any other form."""
    if not re.fullmatch(DURATION, text):
        raise ValueError(f"{text!r} is no duration: write a whole number and d, h, m or s, such as 72h")
    return int(text[:-1]) * _UNITS[text[-1]]


def timestamp(moment: datetime) -> str:
    """The moment as Kubernetes writes it: RFC 3339 in UTC, whole seconds (what is below one is cut off)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
