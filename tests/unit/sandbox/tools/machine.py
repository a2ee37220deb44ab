"""What the tests of the sandbox's tools run on: a PATH with a fake Go, a cache, and small tools."""

import io
import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.tools import Tools, ensure
from sandbox.tools.definitions import ModuleFile, Program, Tool
from sandbox.tools.progress import Progress

# A background job of a shell, as tests may be, ignores SIGINT, and so would its children.
RUN_MAIN = """
import pickle, signal, sys
from pathlib import Path
from sandbox.tools.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(pickle.loads(Path(sys.argv[1]).read_bytes())))
"""


@dataclass
class Machine:
    """What the tests arrange and look at."""

    root: Path
    repository: Path
    demo: Program
    chart: ModuleFile
    said: io.StringIO = field(default_factory=io.StringIO)

    @property
    def go(self) -> Path:
        """The folder of the fake Go: the first on PATH."""
        return self.root / "go"

    @property
    def path(self) -> Path:
        """A folder for other programs: the second on PATH."""
        return self.root / "programs"

    @property
    def cache(self) -> Path:
        return self.root / "cache" / "conecta" / "tools"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.root / "home"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "PATH": f"{self.go}:{self.path}",
        }

    @property
    def kept(self) -> list[str]:
        """Names of the finished tools in the cache, without their keys."""
        return sorted(path.name.rpartition("-")[0] for path in (self.cache / "kept").iterdir())

    @property
    def left_in_work(self) -> list[Path]:
        return list((self.cache / "work").iterdir())

    def set_mode(self, mode: str) -> None:
        (self.go / "mode").write_text(mode)

    def install(self, name: str, script: str) -> Path:
        """Put a shell script on PATH."""
        path = self.path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def ensure(self, *tools: Tool) -> Tools:
        return ensure(table=tools or (self.demo,), environment=self.environment, progress=Progress(self.said))

    def start(self, tools: Sequence[Tool]) -> "subprocess.Popen[str]":
        """`python -m sandbox.tools` with another table."""
        table = self.root / "table.pickle"
        table.write_bytes(pickle.dumps(tuple(tools)))
        return subprocess.Popen(
            [sys.executable, "-c", RUN_MAIN, str(table)],
            cwd=self.repository,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def calls(self, command: str) -> list[dict[str, Any]]:
        """The calls of one Go command, in order."""
        path = self.go / "calls"
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in calls if call["arguments"][0] == command]
