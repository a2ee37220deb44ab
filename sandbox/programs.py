"""Gathers the tools in one folder of the sandbox, which goes on PATH and stays the same when a tool is replaced."""

from pathlib import Path

__all__ = ["link_programs"]


def link_programs(source: Path, folder: Path) -> None:
    """Make every program of one folder be found in another; touch nothing that is right already."""
    for program in source.iterdir():
        link = folder / program.name
        if not link.is_symlink() or link.readlink() != program:
            link.unlink(missing_ok=True)
            link.symlink_to(program)
