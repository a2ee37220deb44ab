"""What the sandbox can't do, in words for whoever typed the command."""

from pathlib import Path
from typing import Final

from typing_extensions import override

__all__ = ["SandboxError", "ServiceDied", "tail"]


class SandboxError(Exception):
    """Something that its reader can act on: shown without a traceback."""


class ServiceDied(SandboxError):
    """A service ended though nobody asked it to."""

    def __init__(self, service: str, exit_code: int | None, log: Path) -> None:
        super().__init__(service, exit_code, log)
        self.service, self.exit_code, self.log = service, exit_code, log

    @override
    def __str__(self) -> str:
        code = "an unknown exit code" if self.exit_code is None else f"exit code {self.exit_code}"
        return f"{self.service} has died with {code}; the end of {self.log}:\n{tail(self.log)}"


LONG_LINE: Final = 4096
"""Bytes that a line of a log seldom exceeds."""


def tail(file: Path, lines: int = 15, *, prefix: str = "    | ") -> str:
    """Return the last lines of a log, each with a prefix; of a file that is large only the end is read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - lines * LONG_LINE))
            content = stream.read().decode(errors="replace")
    except FileNotFoundError:
        return f"{prefix}(no log)"
    return "\n".join(prefix + line for line in content.splitlines()[-lines:]) or f"{prefix}(empty)"
