"""Making one tool in a workspace: a Go build with its packages counted, or a copy out of a Go module."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from sandbox.tools.definitions import ModuleFile, Program
from sandbox.tools.errors import BuildFailed
from sandbox.tools.locate import version_complaint
from sandbox.tools.preflight import Equipment
from sandbox.tools.process import watch
from sandbox.tools.progress import Progress
from sandbox.tools.recipe import BUILD_FLAGS, LINK_FLAGS

__all__ = ["make"]

LAST_LINES = 20
EXECUTABLE = 0o755
DOWNLOADING = "go: downloading "
PENDING = '-f={{if and .Stale (ne .Name "main")}}{{.ImportPath}}{{end}}'
"""Go calls the program itself stale even when only linking is left."""


def make(tool: Program | ModuleFile, work: Path, *, log: Path, equipment: Equipment, progress: Progress) -> Path:
    """A folder in the workspace with the finished tool, under the name of its place."""
    bench = _Bench(tool, work, log=log, equipment=equipment, progress=progress)
    made = work / "made"
    made.mkdir()
    target = made / tool.place.name
    match tool:
        case Program():
            _build(tool, target, bench)
        case ModuleFile():
            _fetch(tool, target, bench)
        case _:
            assert_never(tool)
    return made


class _Bench:
    """Where one tool is made, and with what. Everything that is said there goes to the tool's log."""

    def __init__(
        self, tool: Program | ModuleFile, work: Path, *, log: Path, equipment: Equipment, progress: Progress
    ) -> None:
        self.progress = progress
        self._tool = tool
        self._log = log
        self._output = work / "output"
        self._executable = equipment.go.executable
        needs_compiler = isinstance(tool, Program) and tool.cgo
        compiler = equipment.compiler if needs_compiler else None
        self.environment = equipment.go.environment(work, compiler=compiler)
        log.write_text("")

    def go(self, arguments: list[str], *, on_message: Callable[[str], None]) -> str:
        """What a Go command prints. Raises when it fails."""
        with self._log.open("a") as log, self._output.open("wb") as output:

            def hear(message: str) -> None:
                log.write(f"{message}\n")
                on_message(message)

            code = watch(
                [self._executable, *arguments],
                cwd=self._tool.pins.folder,
                environment=self.environment,
                output=output,
                on_message=hear,
                on_tick=self.progress.tick,
            )
            printed = self._output.read_text(errors="replace")
            if code:
                log.write(printed)
        if code:
            raise self.failure(f"`go {arguments[0]}` ended with {code}")
        return printed

    def failure(self, what: str) -> BuildFailed:
        """The error that tells what happened, what was said last, and where all of it is."""
        said = self._log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        tool = f"{self._tool.name} {self._tool.version}"
        lines = [f"{tool} couldn't be made: {what}", *(f"  | {line}" for line in said), f"  all of it: {self._log}"]
        return BuildFailed("\n".join(lines))


class _Downloads:
    """Counts the modules that Go fetches."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._count = 0

    def hear(self, message: str) -> None:
        if message.startswith(DOWNLOADING):
            self._count += 1
            self._progress.update(f"downloading modules ({self._count})")


class _Packages:
    """Counts the packages that Go compiles, of those that its build cache lacks."""

    def __init__(self, pending: set[str], progress: Progress) -> None:
        self._total = len(pending)
        self._left = pending
        self._progress = progress
        self._show()

    def hear(self, message: str) -> None:
        self._left.discard(message)
        self._show()

    def _show(self) -> None:
        done = self._total - len(self._left)
        self._progress.update(f"{done} of {self._total} packages" if self._left else "linking")


def _build(program: Program, target: Path, bench: _Bench) -> None:
    flags = [*BUILD_FLAGS, f"-tags={','.join(program.tags)}"]
    pending = bench.go(["list", "-deps", *flags, PENDING, program.package], on_message=_Downloads(bench.progress).hear)
    symbols = (f"-X={name}={value}" for name, value in program.symbols.items())
    link = f"-ldflags={' '.join([*LINK_FLAGS, *symbols])}"
    bench.go(
        ["build", "-v", *flags, link, f"-o={target}", program.package],
        on_message=_Packages(set(pending.split()), bench.progress).hear,
    )
    complaint = version_complaint(program, target, bench.environment) if program.ask else None
    if complaint:
        raise bench.failure(f"it {complaint}")


def _fetch(file: ModuleFile, target: Path, bench: _Bench) -> None:
    answer = bench.go(["mod", "download", "-json", file.source], on_message=_Downloads(bench.progress).hear)
    source = Path(json.loads(answer)["Dir"]) / file.path
    if not source.exists():
        raise bench.failure(f"the module {file.source} has no {file.path}")
    _copy(source, target)
    if file.executable:
        target.chmod(EXECUTABLE)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder without its permissions: Go's module cache is read-only."""
    if source.is_dir():
        target.mkdir()
        for child in source.iterdir():
            _copy(child, target / child.name)
    else:
        shutil.copyfile(source, target)
