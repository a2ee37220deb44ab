"""Every test runs: none is passed over for the name of its file, its folder or itself."""

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named_as_tests(path: Path) -> list[str]:
    """The module's functions and classes that pytest takes for tests if it collects the file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        node.name
        for node in parsed(path).body
        if (isinstance(node, functions) and node.name.startswith("test"))
        or (isinstance(node, ast.ClassDef) and node.name.startswith("Test"))
    ]


@pytest.fixture(scope="module")
def modules(repository_files: list[Path], root: Path) -> list[Path]:
    return [path for path in repository_files if path.suffix == ".py" and path.is_relative_to(root / "tests")]


def test_every_module_with_tests_is_named_as_pytest_collects_it(
    modules: list[Path], root: Path, pytestconfig: pytest.Config
) -> None:
    patterns: list[str] = pytestconfig.getini("python_files")
    passed_over = [
        str(path.relative_to(root))
        for path in modules
        if named_as_tests(path) and not any(fnmatch(path.name, pattern) for pattern in patterns)
    ]
    assert passed_over == []


def test_every_module_that_is_collected_has_tests(modules: list[Path], root: Path, pytestconfig: pytest.Config) -> None:
    patterns: list[str] = pytestconfig.getini("python_files")
    empty = [
        str(path.relative_to(root))
        for path in modules
        if any(fnmatch(path.name, pattern) for pattern in patterns) and not named_as_tests(path)
    ]
    assert empty == []


def test_no_folder_of_tests_is_passed_over(modules: list[Path], root: Path, pytestconfig: pytest.Config) -> None:
    patterns: list[str] = pytestconfig.getini("norecursedirs")
    folders = {part for path in modules for part in path.relative_to(root).parent.parts}
    assert [folder for folder in folders if any(fnmatch(folder, pattern) for pattern in patterns)] == []


def test_no_two_tests_of_a_module_share_a_name(modules: list[Path], root: Path) -> None:
    shared = [
        f"{path.relative_to(root)}: {name}"
        for path in modules
        for names in [named_as_tests(path)]
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    assert shared == []


def test_tests_lie_nowhere_else(repository_files: list[Path], root: Path, pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getini("testpaths") == ["tests"]
    elsewhere = [
        str(path.relative_to(root))
        for path in repository_files
        if path.suffix == ".py" and not path.is_relative_to(root / "tests") and named_as_tests(path)
    ]
    assert elsewhere == []
