"""Where a tool is already: in the cache, on PATH in the wanted version, or in an installed Python distribution."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import assert_never

from sandbox.tools.cache import Cache
from sandbox.tools.definitions import ModuleFile, Program, Tool, WheelFile

__all__ = ["locate", "version_complaint"]

ASK_SECONDS = 20.0


def locate(tool: Tool, cache: Cache, environment: Mapping[str, str]) -> Path | None:
    """The tool in the wanted version, if it is there. What the cache has goes first: it needs no asking."""
    match tool:
        case Program():
            return cache.find(tool) or (_on_path(tool, cache, environment) if tool.from_path else None)
        case ModuleFile():
            return cache.find(tool)
        case WheelFile():
            return _in_distribution(tool)
        case _:
            assert_never(tool)


def version_complaint(program: Program, executable: Path, environment: Mapping[str, str]) -> str | None:
    """What is wrong with the executable's answer to the question for its version; None when it is the wanted one."""
    with tempfile.TemporaryDirectory(prefix="conecta-") as home:
        homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", program.home), home)
        try:
            answer = subprocess.run(
                [executable, *program.ask],
                env={**environment, **homes},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=ASK_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"can't be run: {error}"
    text = answer.stdout.decode(errors="replace")
    pattern = program.answer.replace("{version}", re.escape(program.version))
    if answer.returncode == 0 and re.search(pattern, text, re.MULTILINE):
        return None
    return f"should be {program.version}, but `{program.name} {' '.join(program.ask)}` says: {text.strip()}"


def _on_path(program: Program, cache: Cache, environment: Mapping[str, str]) -> Path | None:
    for candidate in _candidates(program.name, environment.get("PATH", "")):
        is_ours = candidate.resolve().is_relative_to(cache.root.resolve())
        if not is_ours and version_complaint(program, candidate, environment) is None:
            return candidate
    return None


def _candidates(name: str, path: str) -> Iterator[Path]:
    for folder in path.split(os.pathsep):
        candidate = Path(folder) / name
        if Path(folder).is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            yield candidate


def _in_distribution(wheel: WheelFile) -> Path | None:
    try:
        distribution = metadata.distribution(wheel.distribution)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(wheel.path)))
    return path if distribution.version == wheel.version and path.is_file() else None
