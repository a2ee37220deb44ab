"""Gathers the tools in one folder of the sandbox, which goes on PATH and stays the same when a tool is replaced."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["link_programs"]


def link_programs(programs: Iterable[Path], folder: Path) -> None:
    """Make every program be found in the folder; touch nothing that is right already."""
    for program in programs:
        link = folder / program.name
        if not link.is_symlink() or link.readlink() != program:
            link.unlink(missing_ok=True)
            link.symlink_to(program)
