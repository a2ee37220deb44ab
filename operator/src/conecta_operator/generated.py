"""Files that are generated and committed: written by `--write`, and by `--check` it is known whether they are fresh."""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Generated"]


@dataclass(frozen=True, kw_only=True)
class Generated:
    """Some files of one folder, and the command that makes them."""

    module: str
    """What `python -m` runs."""
    folder: Path
    """Relative to the repository, where the command is run."""
    files: Callable[[], Mapping[str, str]]
    """The text of each file, by its name."""
    alone: str = ""
    """Files of this suffix are in the folder only if they are generated. Empty: others may be there too."""

    def stale(self, folder: Path) -> list[str]:
        """Names of the files that are missing, are not as generated, or don't belong there."""
        wanted = self.files()
        found = {
            path.name: path.read_text(encoding="utf-8") for path in (folder / name for name in wanted) if path.exists()
        }
        differing = {name for name in wanted if found.get(name) != wanted[name]}
        return sorted(differing | {path.name for path in self._strays(folder, wanted)})

    def write(self, folder: Path) -> None:
        """Make the files what they should be, and remove those that don't belong there."""
        wanted = self.files()
        folder.mkdir(parents=True, exist_ok=True)
        for path in self._strays(folder, wanted):
            path.unlink()
        for name, text in wanted.items():
            (folder / name).write_text(text, encoding="utf-8")

    def main(self, arguments: list[str] | None = None) -> int:
        """Exit code 0 when the files are (now) as generated."""
        parser = argparse.ArgumentParser(prog=f"python -m {self.module}")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--write", action="store_true", help="write the files")
        what.add_argument("--check", action="store_true", help="exit with 1 when a file is not as generated")
        parser.add_argument("--folder", type=Path, default=self.folder, help=f"where they are (default: {self.folder})")
        options = parser.parse_args(arguments)
        if options.write:
            self.write(options.folder)
        names = self.stale(options.folder)
        for name in names:
            sys.stderr.write(f"{options.folder / name} is not as generated: run python -m {self.module} --write\n")
        return 1 if names else 0

    def _strays(self, folder: Path, wanted: Mapping[str, str]) -> list[Path]:
        return [path for path in folder.glob(f"*{self.alone}") if path.name not in wanted] if self.alone else []
