"""Makes `.venv` what `requirements/` says; a file in it tells that it is, so that the next time takes no time.

Run by whatever `python3` is there, before anything is installed: nothing but the standard library, and no syntax that
an old Python would stumble over before it can say that it is too old.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
STAMP = VENV / "conecta-requirements"
LOCKS = [REPOSITORY / "requirements" / name for name in ("platform.txt", "develop.txt")]
SOURCES = [*LOCKS, REPOSITORY / "operator" / "pyproject.toml"]


def main() -> None:
    """Make the environment, unless it is what it should be; one such run at a time."""
    if sys.version_info[:2] < OLDEST:
        wanted, found = (".".join(map(str, version)) for version in (OLDEST, sys.version_info[:3]))
        sys.exit("python3 is " + found + ", and Conecta needs " + wanted + " or later: make PYTHON=python" + wanted)
    digest = _digest()
    if _is_made(digest):
        return
    folder = os.open(REPOSITORY / "requirements", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    if not _is_made(digest):
        _make()
        STAMP.write_text(digest, encoding="ascii")


def _digest() -> str:
    content = b"".join(source.read_bytes() for source in SOURCES)
    return hashlib.sha256(content).hexdigest()


def _is_made(digest: str) -> bool:
    return STAMP.exists() and STAMP.read_text(encoding="ascii") == digest and _is_usable()


def _is_usable() -> bool:
    """Return whether it has a Python, and was made in this place: programs in it name it by its full path."""
    settings = VENV / "pyvenv.cfg"
    return (VENV / "bin" / "python").exists() and f"{VENV}\n" in settings.read_text(encoding="utf-8")


def _make() -> None:
    sys.stdout.write("making .venv from requirements/ …\n")
    sys.stdout.flush()
    if not _is_usable():
        shutil.rmtree(VENV, ignore_errors=True)
        _run(
            [sys.executable, "-m", "venv", VENV],
            "is ensurepip there? On Debian and Ubuntu: apt install python3-venv",
        )
    locks = [argument for lock in LOCKS for argument in ("-r", lock)]
    needs = "is a package index within reach?"
    _pip("--require-hashes", *locks, hint=needs)
    _pip("--no-build-isolation", "--editable", REPOSITORY / "operator", hint=needs)


def _pip(*arguments: "str | Path", hint: str) -> None:
    pip: list[str | Path] = [
        VENV / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    _run([*pip, "--no-deps", *arguments], hint)


def _run(command: "list[str | Path]", hint: str) -> None:
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(f"{Path(command[0]).name} {' '.join(map(str, command[1:4]))} … failed ({code}): {hint}")


if __name__ == "__main__":
    main()
