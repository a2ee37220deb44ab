"""The Go that is installed, and the environment it builds in.

What shapes a build is ours (`recipe`); where downloads come from and where Go keeps its caches stays the user's, also
when it was set by `go env -w`.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.tools.definitions import Pins
from sandbox.tools.recipe import SETTINGS

__all__ = ["Go", "GoVersion", "find_go", "parse_go_version", "wanted_go_version"]

GoVersion = tuple[int, int, int]

KEPT_SETTINGS = (
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOPROXY",
    "GONOPROXY",
    "GOPRIVATE",
    "GOSUMDB",
    "GONOSUMDB",
    "GOINSECURE",
    "GOAUTH",
    "GOVCS",
)
ASK_SECONDS = 30.0
BEFORE_RELEASE = -1


@dataclass(frozen=True, kw_only=True)
class Go:
    """An installed Go."""

    executable: str
    version: str
    kept: Mapping[str, str]
    """The user's own settings that builds keep."""
    compiler: str
    """The C compiler that the user set, or Go's default."""
    inherited: Mapping[str, str]
    """The user's environment without what Go or its C compiler would read."""

    @property
    def build_cache(self) -> Path:
        """Where Go keeps compiled packages."""
        return Path(self.kept["GOCACHE"])

    @property
    def module_cache(self) -> Path:
        """Where Go keeps sources."""
        return Path(self.kept["GOMODCACHE"])

    def environment(self, work: Path, *, compiler: str | None = None) -> dict[str, str]:
        """The environment for a build in that workspace; with cgo when there is a C compiler to use."""
        temporary = work / "tmp"
        temporary.mkdir(exist_ok=True)
        cgo = {"CGO_ENABLED": "1", "CC": compiler} if compiler else {"CGO_ENABLED": "0"}
        return {
            **self.inherited,
            **self.kept,
            **SETTINGS,
            **cgo,
            "GOTMPDIR": str(temporary),
            "TMPDIR": str(temporary),
            **_no_telemetry(work),
        }


def find_go(environment: Mapping[str, str], work: Path) -> Go | None:
    """The Go on PATH, if it is there and works."""
    executable = shutil.which("go", path=environment.get("PATH", ""))
    if executable is None:
        return None
    asked = {**environment, "GOTOOLCHAIN": "local", "GOWORK": "off", **_no_telemetry(work)}
    try:
        answer = subprocess.run(
            [executable, "env", "-json"], cwd=work, env=asked, capture_output=True, timeout=ASK_SECONDS, check=True
        )
        settings: dict[str, str] = json.loads(answer.stdout)
        version = settings["GOVERSION"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None
    return Go(
        executable=executable,
        version=version,
        kept={name: settings[name] for name in KEPT_SETTINGS if settings.get(name)},
        compiler=settings.get("CC", ""),
        inherited={name: value for name, value in environment.items() if not _shapes_a_build(name)},
    )


def parse_go_version(text: str) -> GoVersion | None:
    """The version in `go1.26.8`, `1.26`, `go1.27rc1` or `devel go1.27-…`, comparable; None when there is none."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+)|(rc|beta)\d+)?", text)
    if match is None:
        return None
    major, minor, patch, before_release = match.groups()
    return int(major), int(minor), BEFORE_RELEASE if before_release else int(patch or 0)


def wanted_go_version(pins: Pins) -> GoVersion:
    """The oldest Go that the pinned module may be built with, as its `go.mod` says."""
    match = re.search(r"^go (\S+)$", (pins.folder / "go.mod").read_text(), re.MULTILINE)
    version = parse_go_version(match[1]) if match else None
    return version or (1, 0, 0)


def _no_telemetry(work: Path) -> dict[str, str]:
    """Else Go counts its own use in the user's configuration folder, by a process that outlives it."""
    folder = work / "telemetry"
    folder.mkdir(exist_ok=True)
    (folder / "mode").write_text("off")
    return {"TEST_TELEMETRY_DIR": str(folder)}


def _shapes_a_build(name: str) -> bool:
    return name.startswith(("GO", "CGO_")) or name in {"CC", "CXX", "AR", "PKG_CONFIG"}
