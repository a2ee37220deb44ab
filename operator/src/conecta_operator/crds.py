"""The committed CRDs: `python -m conecta_operator.crds --write` makes them, `--check` says whether they are fresh."""

import argparse
import sys
from pathlib import Path
from typing import Final

from conecta_operator.api.schema import files

__all__ = ["main", "stale", "write"]

FOLDER: Final = Path("charts/conecta-crds/crds")
"""Relative to the repository, where the command is run."""


def stale(folder: Path) -> list[str]:
    """Names of the files that are missing, are not as generated, or don't belong there."""
    wanted = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path) -> None:
    """Make the folder hold the generated files, and no other YAML file."""
    wanted = files()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.yaml"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the files are (now) as generated."""
    parser = argparse.ArgumentParser(prog="python -m conecta_operator.crds", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the files")
    what.add_argument("--check", action="store_true", help="exit with 1 when a file is not as generated")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where they are (default: {FOLDER})")
    options = parser.parse_args(arguments)
    if options.write:
        write(options.folder)
    names = stale(options.folder)
    for name in names:
        sys.stderr.write(f"{options.folder / name} is not as generated: run python -m conecta_operator.crds --write\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
