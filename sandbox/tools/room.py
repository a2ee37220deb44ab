"""Is there enough disk for what will be written? Folders on one file system are counted together."""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

__all__ = ["Room", "room_problems"]

MEGABYTE = 1_000_000
MARGIN = 1.15


@dataclass(frozen=True, kw_only=True)
class Room:
    """A folder, and what will be added to it."""

    folder: Path
    purpose: str
    megabytes: float

    is_shared: bool
    """The folder is a cache that may hold some of it already."""


def room_problems(rooms: Iterable[Room]) -> Iterator[str]:
    """One sentence for each file system that has too little space."""

    def device(room: Room) -> int:
        return _existing(room.folder).stat().st_dev

    for _, group in groupby(sorted(rooms, key=device), key=device):
        here = list(group)
        free = shutil.disk_usage(_existing(here[0].folder)).free / MEGABYTE
        needed = sum(room.megabytes for room in here) * MARGIN
        if needed > free and needed - _held_already(here) > free:
            parts = ", ".join(f"{room.purpose} {room.folder}: {_gigabytes(room.megabytes * MARGIN)}" for room in here)
            yield (
                f"too little disk: about {_gigabytes(needed)} are needed and {_gigabytes(free)} are free ({parts}): "
                "make room, or move a folder elsewhere by XDG_CACHE_HOME, GOCACHE or GOMODCACHE"
            )


def _held_already(rooms: Iterable[Room]) -> float:
    """What caches hold is taken for what we need: a full disk later is a clear error too, a wrong refusal is worse."""
    return sum(min(room.megabytes * MARGIN, _size(room.folder)) for room in rooms if room.is_shared)


def _size(folder: Path) -> float:
    files = (os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names)  # noqa: PTH118 - many
    return sum(os.lstat(file).st_size for file in files) / MEGABYTE


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _gigabytes(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB"
