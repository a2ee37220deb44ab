"""Runs a program with some folders at fixed paths, such as Envoy Gateway's `/certs`, which the machine never sees.

Usage: python -m sandbox.private_root MOUNT_POINT PATH=FOLDER… -- PROGRAM [ARGUMENT…]
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from sandbox.errors import SandboxError
from sandbox.layout import REPOSITORY
from sandbox.namespaces import enter, give_private_root

__all__ = ["check_possible", "main"]


def check_possible(mount_point: Path) -> None:
    """Fail with the reason when this machine doesn't let us run a program in this way."""
    command = [sys.executable, "-m", "sandbox.private_root", str(mount_point), "--", sys.executable, "-c", ""]
    tried = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise SandboxError(f"Envoy Gateway can't be given its certificates at /certs: {tried.stderr.strip()}")


def main(arguments: list[str]) -> NoReturn:
    """Become the program; return only when that is impossible."""
    split = arguments.index("--")
    mount_point, *grafts = arguments[:split]
    program = arguments[split + 1 :]
    places = [graft.split("=", 1) for graft in grafts]
    try:
        Path(mount_point).mkdir(parents=True, exist_ok=True)
        enter()
        give_private_root(Path(mount_point), {Path(place): Path(folder) for place, folder in places})
    except SandboxError as error:
        sys.exit(f"{error}")
    os.execv(program[0], program)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
