"""Commands apart from everything, and programs with a root of their own, where the kernel lets one have namespaces."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.isolated import INSIDE, isolated
from sandbox.layout import REPOSITORY, Layout
from sandbox.locks import is_locked
from sandbox.private_root import check_possible
from sandbox.wrapper import identity


@pytest.fixture(autouse=True)
def _needs_namespaces(tmp_path: Path) -> None:
    try:
        check_possible(tmp_path / "root")
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture
def layout() -> Layout:
    """The repository's own; there is but one at a time."""
    layout = Layout()
    if INSIDE in os.environ or is_locked(layout.test_state):
        pytest.skip("`make test` is going on")
    return layout


def in_private_root(mount_point: Path, grafts: dict[str, Path], program: str) -> str:
    folders = [f"{place}={folder}" for place, folder in grafts.items()]
    runner = [sys.executable, "-m", "sandbox.private_root", str(mount_point), *folders, "--"]
    command = [*runner, sys.executable, "-c", program]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_program_sees_folders_of_our_choice_and_the_machine_does_not(tmp_path: Path) -> None:
    root, certificates, cache = tmp_path / "root", tmp_path / "certificates", tmp_path / "cache"
    for folder in (certificates, cache):
        folder.mkdir()
    (certificates / "tls.crt").write_text("a certificate")
    program = """
import pathlib
pathlib.Path("/var/lib/conecta-test/made").touch()
print(pathlib.Path("/certs/tls.crt").read_text(), pathlib.Path.cwd())
"""
    said = in_private_root(root, {"/certs": certificates, "/var/lib/conecta-test": cache}, program)
    assert said.split("\n")[0] == f"a certificate {REPOSITORY}"
    assert (cache / "made").exists()
    assert not Path("/certs").exists()
    assert not Path("/var/lib/conecta-test").exists()
    assert list(root.iterdir()) == []


def test_the_rest_of_the_machine_looks_the_same(tmp_path: Path) -> None:
    said = in_private_root(
        tmp_path / "root", {"/certs": tmp_path}, "import os; print(*sorted(os.listdir('/')), sep='\\n')"
    )
    assert set(said.split()) == {*os.listdir("/"), "certs"}  # noqa: PTH208 - names only


def test_a_command_has_a_network_and_a_state_folder_of_its_own(
    layout: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = layout.state.exists()
    program = (
        "import os, pathlib, socket; s = socket.create_server(('127.0.0.1', 10443)); "
        "print(os.environ['CONECTA_ISOLATED'], *socket.if_nameindex(), *pathlib.Path('.sandbox').iterdir()); "
        f"pathlib.Path('.sandbox/left').touch(); pathlib.Path({str(tmp_path / 'ran')!r}).touch(); raise SystemExit(5)"
    )
    assert isolated(layout, [sys.executable, "-c", program]) == 5
    assert capfd.readouterr().out.strip() == "1 (1, 'lo')"
    assert (tmp_path / "ran").exists()
    assert not layout.test_state.exists()
    assert layout.state.exists() == before


def test_what_a_command_leaves_running_is_ended(layout: Layout, tmp_path: Path) -> None:
    left = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); import signal; signal.pause()"
    starter = f"""
import pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {left!r}], start_new_session=True)
file = pathlib.Path({str(tmp_path / "pid")!r})
while not file.exists() or not file.read_text(): time.sleep(0.01)
"""
    assert isolated(layout, [sys.executable, "-c", starter]) == 0
    assert identity(int((tmp_path / "pid").read_text())) is None
