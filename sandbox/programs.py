"""Gathers the tools in the sandbox's own folder, which goes on PATH together with Pulumi's language host."""

import os
import shutil
from pathlib import Path
from typing import Final

__all__ = ["collect_programs"]

LOOKS_BESIDE_ITSELF: Final = frozenset({"pulumi"})
"""Searches plugins in the folder that it really lies in, and warns of those that it finds elsewhere: no link for it."""


def collect_programs(source: Path, folder: Path) -> None:
    """Make every program of one folder be found in another, where only what has changed is touched."""
    for program in source.iterdir():
        place = folder / program.name
        if program.name in LOOKS_BESIDE_ITSELF:
            _put(program.resolve(), place)
        elif not place.is_symlink() or place.readlink() != program:
            place.unlink(missing_ok=True)
            place.symlink_to(program)


def _put(program: Path, place: Path) -> None:
    if place.exists() and _same(program.stat(), place.lstat()):
        return
    place.unlink(missing_ok=True)
    try:
        os.link(program, place)
    except OSError:  # another file system, or somebody else's file
        shutil.copy2(program, place)


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)
