"""Programs that are no Python: built ahead, since the namespace in which `make test` runs them reaches no registry.

`python -m tests.support.client_runtimes` makes what is missing in `$XDG_CACHE_HOME/conecta/clients`, one folder each by
all that defines it. A runtime that isn't there, or a registry out of reach, ends nothing: the client's tests say it.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["GO", "LOAD", "NODE", "Runtime"]

CLIENTS = Path(__file__).parents[1] / "clients"
PATIENCE = 300
COMMAND = "python -m tests.support.client_runtimes"


@dataclass(frozen=True)
class Runtime:
    """How a client's folder is made ready, and started."""

    name: str
    source: Path
    needs: tuple[str, ...]
    """Programs on PATH."""
    preparation: tuple[str, ...]
    start: tuple[str, ...]
    """`{home}` is the folder that was made ready."""

    @property
    def home(self) -> Path:
        """The client made ready, by the content of its source."""
        digest = hashlib.sha256(repr((self.preparation, sys.platform, os.uname().machine)).encode())
        for file in self._files():
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return _cache() / f"{self.name}-{digest.hexdigest()[:16]}"

    @property
    def missing(self) -> list[str]:
        """What it needs and this machine hasn't."""
        return [program for program in self.needs if shutil.which(program) is None]

    @property
    def command(self) -> list[str]:
        """What starts the client."""
        return [part.format(home=self.home) for part in self.start]

    def ensure(self) -> None:
        """Make it ready, unless it is."""
        with _alone():
            if not self.home.exists():
                self.prepare()

    def prepare(self) -> None:
        """Make it ready. Whatever enters the cache is complete."""
        with tempfile.TemporaryDirectory(dir=_cache(), prefix=f".{self.name}-") as work:
            made = Path(work) / "made"
            made.mkdir()
            for file in self._files():
                shutil.copy(file, made)
            done = subprocess.run(  # noqa: PLW1510 - judged below, with its words
                self.preparation, cwd=made, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
            )
            if done.returncode:
                raise OSError(f"{' '.join(self.preparation)}: {done.stderr.strip()[-2000:]}")
            made.rename(self.home)

    def _files(self) -> list[Path]:
        return sorted(path for path in self.source.iterdir() if path.is_file())


NODE = Runtime(
    name="openid-client",
    source=CLIENTS / "openid-client",
    needs=("node", "npm"),
    preparation=("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
    start=("node", "{home}/client.mjs"),
)
GO_BUILD = ("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", "client", ".")
GO = Runtime(name="go", source=CLIENTS / "go", needs=("go",), preparation=GO_BUILD, start=("{home}/client",))
LOAD = Runtime(
    name="load",
    source=Path(__file__).parents[1] / "bench" / "load",
    needs=("go",),
    preparation=GO_BUILD,
    start=("{home}/client",),
)
"""Both ends of the gateway's bench. It needs nothing but Go, so the bench itself makes it ready."""


def main() -> None:
    """Make ready what can be; say what cannot."""
    for runtime in (NODE, GO):
        if runtime.home.exists():
            continue
        if runtime.missing:
            sys.stderr.write(f"client {runtime.name}: no {' and no '.join(runtime.missing)}; its tests won't run\n")
            continue
        sys.stderr.write(f"client {runtime.name}: made ready …\n")
        try:
            runtime.ensure()
        except (OSError, subprocess.SubprocessError) as error:
            sys.stderr.write(f"client {runtime.name} could not be made ready: {error}\n")


def _cache() -> Path:
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = configured if configured.is_absolute() else Path.home() / ".cache"
    folder = base / "conecta" / "clients"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
