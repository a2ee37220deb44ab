"""Who did what at the API server, by its audit log."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sandbox.layout import Layout
from tests.support.users import OPERATOR

__all__ = ["AuditLog", "Write", "by_kind"]

_WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Write:
    """A request that could have changed an object, whatever came of it."""

    at: datetime
    verb: str
    resource: str
    """Such as `conectagrants/status`."""
    namespace: str
    name: str
    """Empty for a create."""

    @property
    def kind(self) -> str:
        """What was done to which kind of object."""
        return f"{self.verb} {self.resource}"


class AuditLog:
    """The log of one sandbox, of which the API server keeps the latest 50 to 100 MB."""

    def __init__(self, layout: Layout) -> None:
        self._current = layout.log("audit")

    def writes(self, since: datetime, *, by: str = OPERATOR) -> list[Write]:
        """All writes of one user since a moment."""
        return [write for write in self._writes(by) if write.at >= since]

    def _writes(self, user: str) -> Iterator[Write]:
        for line in self._lines():
            if f'"{user}"' not in line:
                continue
            entry = json.loads(line)
            if entry["user"]["username"] != user or entry["verb"] not in _WRITES:
                continue
            touched = entry["objectRef"]
            parts = (touched["resource"], touched.get("subresource"))
            yield Write(
                at=datetime.fromisoformat(entry["requestReceivedTimestamp"]).astimezone(UTC),
                verb=entry["verb"],
                resource="/".join(part for part in parts if part),
                namespace=touched.get("namespace", ""),
                name=touched.get("name", ""),
            )

    def _lines(self) -> Iterator[str]:
        """Older files first; a line that is still being written is left out."""
        for file in [*sorted(self._current.parent.glob("audit-*.log")), self._current]:
            with file.open(encoding="utf-8") as stream:
                yield from (line for line in stream if line.endswith("\n"))


def by_kind(writes: Iterable[Write]) -> Counter[str]:
    """How often what was done."""
    return Counter(write.kind for write in writes)
