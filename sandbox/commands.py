"""Runs the programs that do a piece of work and end: kubectl, helm, pulumi, certgen, migrations."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.environment import program_environment
from sandbox.errors import SandboxError
from sandbox.layout import Layout

__all__ = ["CommandFailed", "Commands"]

SHOWN_LINES: Final = 25


class CommandFailed(SandboxError):
    """A program said no; its own words are in the message."""


class Commands:
    """Programs of the sandbox, run as its administrator."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def run(
        self,
        program: str | Path,
        *arguments: str | os.PathLike[str],
        standard_input: str | None = None,
        environment: Mapping[str, str] | None = None,
        time_limit: float = 120.0,
        log: Path | None = None,
    ) -> str:
        """Return what a program prints; fail with the end of all that it said. A bare name is a tool's."""
        argv = [program if isinstance(program, Path) else self._layout.bin / program, *arguments]
        try:
            ended = subprocess.run(
                argv,
                input=standard_input,
                capture_output=True,
                text=True,
                check=False,
                timeout=time_limit,
                cwd=self._layout.repository,
                env=program_environment(self._layout) | dict(environment or {}),
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{_short(argv)} has not ended within {time_limit:.0f} s") from error
        if log:
            log.write_text(ended.stdout + ended.stderr, encoding="utf-8")
        if ended.returncode != 0:
            said = (ended.stdout + ended.stderr).strip().splitlines()[-SHOWN_LINES:]
            shown = "\n".join(f"    | {line}" for line in said)
            raise CommandFailed(f"{_short(argv)} ended with exit code {ended.returncode}:\n{shown}")
        return ended.stdout

    def kubectl(self, *arguments: str | os.PathLike[str], standard_input: str | None = None) -> str:
        """Run kubectl as the platform's administrator, or as whoever `--kubeconfig` names."""
        return self.run("kubectl", *arguments, standard_input=standard_input)


def _short(argv: Sequence[str | os.PathLike[str]]) -> str:
    words = [Path(argv[0]).name, *map(str, argv[1:])]
    return " ".join(words[:8]) + (" …" if len(words) > 8 else "")  # noqa: PLR2004 - enough to recognise it
