"""What a tool is, as data: all that finding, building and placing one needs to know. The tools are in `table`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

__all__ = ["ModuleFile", "Pins", "Program", "Tool", "WheelFile", "bin_place"]


def bin_place(name: str) -> PurePosixPath:
    """Where a program lies in the folder that `Tools` describes."""
    return PurePosixPath("bin") / name


@dataclass(frozen=True, kw_only=True)
class Pins:
    """A folder with the `go.mod` and `go.sum` that builds use."""

    folder: Path

    modules_mb: int
    """What a cold build adds to Go's module cache."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program found on PATH in the wanted version, else built from a pinned Go module."""

    name: str
    version: str

    pins: Pins

    package: str
    """The main package; `pins` has the version of its module."""

    ask: tuple[str, ...] = ()
    """The arguments that make the program tell its version. Empty: it tells none, and only our own build will do."""

    answer: str = ""
    """The regular expression that the answer has to match; `{version}` stands for the version."""

    home: str = "HOME"
    """The variable naming the folder that the program writes to when asked: it is asked without leaving traces."""

    symbols: Mapping[str, str] = field(default_factory=dict)
    """Variables that the linker sets (`-X`)."""

    tags: tuple[str, ...] = ()
    cgo: bool = False

    from_path: bool = True
    """False: only our own build will do, as its flags matter and the version doesn't tell them."""

    objects_mb: int = 0
    """What a cold build adds to Go's build cache, when the programs before it in the table are there."""

    @property
    def place(self) -> PurePosixPath:
        """Where it lies in the folder that `Tools` describes."""
        return bin_place(self.name)


@dataclass(frozen=True, kw_only=True)
class ModuleFile:
    """A file or folder copied out of a pinned Go module."""

    name: str
    version: str
    source: str
    pins: Pins

    path: str
    """Where it lies in the module."""

    place: PurePosixPath
    """Where it lies in the folder that `Tools` describes."""

    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class WheelFile:
    """A program that an installed Python distribution carries."""

    name: str
    version: str
    distribution: str

    path: str
    """Where it lies beside the distribution's packages."""

    @property
    def place(self) -> PurePosixPath:
        """Where it lies in the folder that `Tools` describes."""
        return bin_place(self.name)


Tool = Program | ModuleFile | WheelFile
