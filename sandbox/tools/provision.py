"""Making sure that all tools are there: the one thing that others ask of this package."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.tools.build import make
from sandbox.tools.cache import Cache
from sandbox.tools.definitions import Tool, WheelFile
from sandbox.tools.errors import BuildFailed
from sandbox.tools.locate import locate
from sandbox.tools.preflight import preflight
from sandbox.tools.progress import Progress
from sandbox.tools.table import TABLE

__all__ = ["Tools", "ensure"]


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Where the tools are."""

    bin: Path
    """A folder for PATH with every program."""

    share: Path
    """A folder with `gateway-helm/` (Envoy Gateway's chart and CRDs) and `remoteinfra/service.proto`."""


def ensure(
    *,
    table: Sequence[Tool] = TABLE,
    environment: Mapping[str, str] = os.environ,
    progress: Progress | None = None,
) -> Tools:
    """All tools in the wanted versions; what is missing is made, with progress on stderr. Raises ToolsError."""
    cache = Cache.of_user(environment)
    folder = _ready_set(table, cache, environment) or _make_set(
        table, cache, environment, progress or Progress(sys.stderr)
    )
    return Tools(bin=folder / "bin", share=folder / "share")


def _ready_set(table: Sequence[Tool], cache: Cache, environment: Mapping[str, str]) -> Path | None:
    """The folder of all tools when nothing has to be done: no lock, no Go, nothing written."""
    found = _found(table, cache, environment)
    return cache.find_set(found) if len(found) == len(table) else None


def _make_set(table: Sequence[Tool], cache: Cache, environment: Mapping[str, str], progress: Progress) -> Path:
    with cache.lock(progress):
        found = _found(table, cache, environment)
        missing = [tool for tool in table if tool.place not in found]
        if missing:
            found |= _make(missing, cache, environment, progress)
        return cache.find_set(found) or cache.keep_set(found)


def _found(table: Sequence[Tool], cache: Cache, environment: Mapping[str, str]) -> dict[PurePosixPath, Path]:
    located = ((tool.place, locate(tool, cache, environment)) for tool in table)
    return {place: path for place, path in located if path}


def _make(
    missing: Sequence[Tool], cache: Cache, environment: Mapping[str, str], progress: Progress
) -> dict[PurePosixPath, Path]:
    with cache.workspace() as work:
        equipment = preflight(missing, cache.root, work, environment)
    orders = [tool for tool in missing if not isinstance(tool, WheelFile)]  # a missing wheel did not pass the preflight
    made = {}
    for number, tool in enumerate(orders, start=1):
        progress.begin(f"[{number}/{len(orders)}] {tool.name} {tool.version}")
        with cache.workspace() as work:
            try:
                folder = make(tool, work, log=cache.log(tool), equipment=equipment, progress=progress)
                made[tool.place] = cache.keep(tool, folder)
            except OSError as error:
                raise BuildFailed(f"{tool.name} {tool.version} couldn't be made: {error}") from error
        progress.end("ready")
    return made
