"""Whoever installs the operator's package has `kubectl conecta`."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("kubectl-conecta")
PACKAGE = Path("cli/src/conecta_cli")


def test_the_program_is_installed(tmp_path: Path) -> None:
    """It is found by the name under which kubectl looks for it, and works from anywhere."""
    done = subprocess.run([PROGRAM, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: kubectl conecta")


@pytest.mark.usefixtures("grant")
def test_a_reader_that_has_enough_causes_no_complaint(kubeconfig: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        command = [str(PROGRAM), "grants", "-o", "json", "--kubeconfig", str(kubeconfig)]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_is_shipped_is_what_is_tested(root: Path) -> None:
    shipped = root / "operator" / "src" / "conecta_cli"
    assert shipped.resolve() == (root / PACKAGE).resolve()


def test_a_built_wheel_holds_it_all(root: Path, tmp_path: Path) -> None:
    """Built from the source distribution, too, which has no folder beside it to link to."""
    build = "import sys, hatchling.build as b; print(getattr(b, sys.argv[1])(sys.argv[2]))"

    def built(kind: str, source: Path) -> Path:
        done = subprocess.run(
            [sys.executable, "-c", build, kind, tmp_path], cwd=source, capture_output=True, text=True, check=True
        )
        return tmp_path / done.stdout.strip().splitlines()[-1]

    modules = {f"conecta_cli/{path.relative_to(root / PACKAGE)}" for path in (root / PACKAGE).rglob("*.py")}
    direct = names_in(built("build_wheel", root / "operator"))
    assert modules <= direct
    archive = built("build_sdist", root / "operator")
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path], check=True)
    assert names_in(built("build_wheel", archive.with_name(archive.name.removesuffix(".tar.gz")))) == direct


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        (points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "kubectl-conecta = conecta_cli.__main__:main" in archive.read(points).decode()
        return set(archive.namelist())


@pytest.fixture
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath
