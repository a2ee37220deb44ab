"""The user's cache of built tools: `$XDG_CACHE_HOME/conecta/tools`.

    lock                                    held while somebody builds; holds the process id
    kept/<name>-<version>-<key>/            one finished tool each; the key is made of all that defines its build
    sets/<key>/{bin,share}/                 links to the tools of one table, as `Tools` describes them
    work/                                   what is being made; what lies here at a start is left from a killed run
    logs/<name>.log                         what the last build or download of each tool said

Whatever is in `kept` and `sets` came there complete, by one rename. The version of Go is not in the key: the pinned
sources and flags define a tool, and what is built must go on working where Go has gone.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, assert_never

from sandbox.tools.definitions import ModuleFile, Program
from sandbox.tools.errors import CacheUnavailable
from sandbox.tools.progress import Progress
from sandbox.tools.recipe import RECIPE

__all__ = ["Cache", "build_key"]

LOCK_INTERVAL = 0.2
KEY_LENGTH = 16


def build_key(tool: Program | ModuleFile) -> str:
    """A digest of all that defines how the tool is made."""
    made_from: dict[str, Any] = {
        "recipe": RECIPE,
        "platform": [sys.platform, platform.machine()],
        "go.mod": (tool.pins.folder / "go.mod").read_text(),
        "go.sum": (tool.pins.folder / "go.sum").read_text(),
    }
    match tool:
        case Program():
            made_from |= {
                "package": tool.package,
                "symbols": dict(tool.symbols),
                "tags": tool.tags,
                "cgo": tool.cgo,
            }
        case ModuleFile():
            made_from |= {"source": tool.source, "path": tool.path, "executable": tool.executable}
        case _:
            assert_never(tool)
    return _digest(made_from)


class Cache:
    """The folder, and the rule that only complete things enter it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_user(cls, environment: Mapping[str, str]) -> "Cache":
        """The cache where the XDG rules put it: a relative path in the variable doesn't count."""
        configured = Path(environment.get("XDG_CACHE_HOME", ""))
        base = configured if configured.is_absolute() else Path(environment.get("HOME") or Path.home()) / ".cache"
        return cls(base / "conecta" / "tools")

    def find(self, tool: Program | ModuleFile) -> Path | None:
        """The finished tool, if there."""
        path = self._home(tool) / tool.place.name
        return path if path.exists() else None

    def keep(self, tool: Program | ModuleFile, made: Path) -> Path:
        """Take over a finished folder (in a workspace) that holds the tool under the name of its place."""
        home = self._home(tool)
        _replace(made, home)
        return home / tool.place.name

    def log(self, tool: Program | ModuleFile) -> Path:
        """The file for what the tool's build says."""
        return self.root / "logs" / f"{tool.name}.log"

    def find_set(self, links: Mapping[PurePosixPath, Path]) -> Path | None:
        """The folder with exactly these links, if there and whole."""
        folder = self._set(links)
        is_whole = all(_link_target(folder / place) == target for place, target in links.items())
        return folder if is_whole else None

    def keep_set(self, links: Mapping[PurePosixPath, Path]) -> Path:
        """Make the folder with these links."""
        with self.workspace() as work:
            made = work / "set"
            for place, target in links.items():
                (made / place).parent.mkdir(parents=True, exist_ok=True)
                (made / place).symlink_to(target)
            folder = self._set(links)
            _replace(made, folder)
        return folder

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder for work in progress, on the cache's own file system; only for who holds the lock."""
        with tempfile.TemporaryDirectory(dir=self.root / "work", ignore_cleanup_errors=True) as work:
            yield Path(work)

    @contextlib.contextmanager
    def lock(self, progress: Progress) -> Iterator[None]:
        """Be the only one who makes tools; wait, and say so, while another does. Remove what killed runs left."""
        try:
            for name in ("kept", "sets", "work", "logs"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            file = (self.root / "lock").open("a+")
        except OSError as error:
            raise CacheUnavailable(
                f"the cache folder {self.root} can't be written ({error.strerror}); "
                "give its folder another place by XDG_CACHE_HOME, or make it yours"
            ) from error
        with file:
            _wait_for(file.fileno(), self.root / "lock", progress)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            for left in (self.root / "work").iterdir():
                shutil.rmtree(left, ignore_errors=True)
            yield

    def _home(self, tool: Program | ModuleFile) -> Path:
        return self.root / "kept" / f"{tool.name}-{tool.version}-{build_key(tool)}"

    def _set(self, links: Mapping[PurePosixPath, Path]) -> Path:
        return self.root / "sets" / _digest(sorted((str(place), str(target)) for place, target in links.items()))


def _wait_for(lock: int, path: Path, progress: Progress) -> None:
    """Return when the lock is ours."""
    is_waiting = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not is_waiting:
                progress.begin("waiting", f"process {path.read_text() or 'unknown'} is making the tools")
                is_waiting = True
            progress.tick()
            time.sleep(LOCK_INTERVAL)
        else:
            if is_waiting:
                progress.end("the other run is done")
            return


def _replace(made: Path, target: Path) -> None:
    """Put a finished folder where it belongs; a damaged one that is there goes first."""
    shutil.rmtree(target, ignore_errors=True)
    made.rename(target)


def _link_target(path: Path) -> Path | None:
    """Where a link points to, when that exists."""
    return path.readlink() if path.is_symlink() and path.exists() else None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:KEY_LENGTH]
