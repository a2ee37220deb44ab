"""What is told of many values of one kind."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

__all__ = ["Spread", "figures", "p99"]


def p99(values: Iterable[float]) -> float:
    """The value that one in a hundred exceeds."""
    ordered = sorted(values)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


def figures(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, p99 and greatest."""
    return statistics.median(values), p99(values), max(values)


@dataclass(frozen=True)
class Spread:
    """A median, and between what it was measured."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """What these values come to."""
        return cls(statistics.median(values), min(values), max(values))

    def told(self, digits: int = 2) -> str:
        """The median with what it was measured between."""
        return f"{self.median:.{digits}f} ({self.least:.{digits}f} to {self.most:.{digits}f})"
