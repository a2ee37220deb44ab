"""Which of its rights the operator has used while the tests ran, and what it was refused, by the audit log."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.users import OPERATOR

__all__ = ["Right", "RightsUsed", "granted"]

_NAMESPACE_GOES: Final = "NamespaceTerminating"
"""Refused because the namespace is going: it began to after the operator had looked, so no right is missing."""


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource."""

    group: str
    resource: str
    """Such as `conectagrants/status`."""
    verb: str

    @override
    def __str__(self) -> str:
        """Say it as people do."""
        return f"{self.verb} {self.resource}.{self.group}".rstrip(".")


class RightsUsed:
    """Gathered now and then, because the API server keeps the latest 50 to 100 MB of its log only."""

    def __init__(self, layout: Layout) -> None:
        self._current = layout.log("audit")
        self._inode = 0
        self._offset = 0
        self.used: Counter[Right] = Counter()
        self.refused: list[str] = []
        """What was refused and why, one a request."""
        self.gaps = 0
        """How often a part of the log was gone before it was read."""

    def gather(self) -> None:
        """Take in what has been logged since the last time."""
        for line in self._news():
            if f'"{OPERATOR}"' in line:
                self._take_in(json.loads(line))

    def _take_in(self, entry: dict[str, Any]) -> None:
        acted = entry["user"]["username"] == OPERATOR and not entry.get("userAgent", "").startswith("kubectl")
        touched = entry.get("objectRef")
        if not acted or touched is None:
            return
        resource = "/".join(part for part in (touched["resource"], touched.get("subresource")) if part)
        right = Right(touched.get("apiGroup", ""), resource, entry["verb"])
        self.used[right] += 1
        answer = entry.get("responseStatus", {})
        causes = {cause.get("reason") for cause in (answer.get("details") or {}).get("causes") or []}
        if answer.get("code") == 403 and _NAMESPACE_GOES not in causes:
            self.refused.append(f"{right} in {touched.get('namespace', 'the cluster')}: {answer.get('message')}")

    def _news(self) -> Iterator[str]:
        """Whole lines only; one that is still being written is for the next time."""
        files = [*sorted(self._current.parent.glob("audit-*.log")), *self._current.parent.glob("audit.log")]
        inodes = [file.stat().st_ino for file in files]
        if self._inode in inodes:
            files = files[inodes.index(self._inode) :]
        elif self._inode:
            self.gaps += 1
        for file in files:
            yield from self._rest_of(file)

    def _rest_of(self, file: Path) -> Iterator[str]:
        with file.open("rb") as stream:
            inode = os.fstat(stream.fileno()).st_ino
            if inode != self._inode:
                self._inode, self._offset = inode, 0
            stream.seek(self._offset)
            for line in stream:
                if line.endswith(b"\n"):
                    self._offset += len(line)
                    yield line.decode()


def granted(*roles: Manifest) -> set[Right]:
    """All that these roles give."""
    return {
        Right(group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
