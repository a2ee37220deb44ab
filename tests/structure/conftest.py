"""The repository as its structure tests see it: the files that a commit would hold."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest


def _ignored_folders(root: Path) -> list[str]:
    """The patterns of .gitignore, all of which name folders."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").split()
    return [".git", *(line.removesuffix("/") for line in lines)]


def _files(folder: Path, ignored: list[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in ignored) or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path, ignored)
        else:
            yield path


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def repository_files(root: Path) -> list[Path]:
    """All files but what .gitignore names, without the need of git; symbolic links are followed nowhere."""
    return list(_files(root, _ignored_folders(root)))
