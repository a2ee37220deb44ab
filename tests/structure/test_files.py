"""What holds for every file of the repository."""

import re
from pathlib import Path

import pytest

LONGEST_MODULE = 400

PACKAGE_INDEXES = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|npmjs\.(org|com)|(proxy|sum)\.golang\.org)\b|--(extra-)?index-url\b|\bGOPROXY=http"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~$}/-])/(root|home|Users|work)/\w")


@pytest.fixture(scope="module")
def other_files(repository_files: list[Path]) -> list[Path]:
    """All files but this one, whose examples are what the others must not hold."""
    return [path for path in repository_files if path != Path(__file__)]


def numbered_lines(path: Path) -> list[tuple[int, str]]:
    return list(enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1))


def places(files: list[Path], root: Path, pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in numbered_lines(path)
        if pattern.search(line)
    ]


def test_no_module_is_longer_than_400_lines(repository_files: list[Path], root: Path) -> None:
    lengths = {path.relative_to(root): len(numbered_lines(path)) for path in repository_files if path.suffix == ".py"}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_file_names_a_package_index(other_files: list[Path], root: Path) -> None:
    assert places(other_files, root, PACKAGE_INDEXES) == []


def test_no_file_names_a_path_of_a_machine(other_files: list[Path], root: Path) -> None:
    assert places(other_files, root, MACHINE_PATHS) == []


@pytest.mark.parametrize(
    ("line", "names_an_index"),
    [
        pytest.param("--index-url https://mirror.example/simple", True, id="an index by option"),
        pytest.param("--extra-index-url=https://mirror.example", True, id="another index by option"),
        pytest.param("GOPROXY=https://mirror.example", True, id="a Go proxy by variable"),
        pytest.param("the default is proxy.golang.org", True, id="the public Go proxy"),
        pytest.param("https://files.pythonhosted.org/packages/x", True, id="a file of the public index"),
        pytest.param("built from the Go module proxy", False, id="the thing in words"),
        pytest.param("pkg.go.dev/golang.org/x/mod", False, id="a module"),
    ],
)
def test_a_package_index_is_recognised(line: str, *, names_an_index: bool) -> None:
    assert bool(PACKAGE_INDEXES.search(line)) == names_an_index


@pytest.mark.parametrize(
    ("line", "names_a_machine"),
    [
        pytest.param("cache = '/home/maria/.cache'", True, id="a home folder"),
        pytest.param("cd /root/conecta", True, id="root's folder"),
        pytest.param("https://conecta.example/home/page", False, id="a URL"),
        pytest.param("$STATE/work/area", False, id="below a variable"),
        pytest.param("{root}/work/area", False, id="below a placeholder"),
    ],
)
def test_a_path_of_a_machine_is_recognised(line: str, *, names_a_machine: bool) -> None:
    assert bool(MACHINE_PATHS.search(line)) == names_a_machine
