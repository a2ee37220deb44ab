"""Who imports whom, and what `import operator` means."""

import subprocess
import sys
import sysconfig
from pathlib import Path


def run(root: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=root,
        env={"PATH": "", "PYTHONPATH": f"{root}:{root / 'operator' / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_rooms_import_one_another_only_as_the_contracts_allow(root: Path) -> None:
    result = run(root, Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_operators_folder_is_no_package(root: Path) -> None:
    assert (root / "operator").is_dir()
    assert not (root / "operator" / "__init__.py").exists()


def test_import_operator_finds_the_standard_library_with_the_repository_first_on_the_path(root: Path) -> None:
    show = (
        "import sys, operator; print(sys.path[:2]); print(operator.itemgetter(0)(['first'])); print(operator.__file__)"
    )
    result = run(root, sys.executable, "-c", show)
    path, first, file = result.stdout.splitlines()
    assert str(root) in path, result.stderr
    assert first == "first"
    assert Path(file).parent == Path(sysconfig.get_path("stdlib"))
