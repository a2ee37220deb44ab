"""A machine of its own for each test."""

import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from sandbox.tools.definitions import ModuleFile, Pins, Program
from tests.unit.sandbox.tools.machine import Machine

FAKE_GO = Path(__file__).parent / "fake_go.py"


@pytest.fixture
def machine(tmp_path: Path, pytestconfig: pytest.Config) -> Machine:
    pins = Pins(folder=tmp_path / "pins", modules_mb=1)
    demo = Program(
        name="demo",
        version="1.2.3",
        pins=pins,
        package="example.org/demo",
        symbols={"example.org/demo.version": "v1.2.3"},
        tags=("one", "two"),
        ask=("--version",),
        answer=r"^demo v{version}$",
    )
    chart = ModuleFile(
        name="chart",
        version="1.2.3",
        source="example.org/chart",
        pins=pins,
        path="charts/demo",
        place=PurePosixPath("share/chart"),
    )
    machine = Machine(root=tmp_path, repository=pytestconfig.rootpath, demo=demo, chart=chart)
    _install_go(machine.go)
    for folder in (machine.path, tmp_path / "home", pins.folder):
        folder.mkdir()
    (pins.folder / "go.mod").write_text("module example.org/pins\n\ngo 1.26.7\n")
    (pins.folder / "go.sum").write_text("")
    return machine


def _install_go(folder: Path) -> None:
    folder.mkdir()
    (folder / "go").write_text(f"#!{sys.executable} -IS\n{FAKE_GO.read_text()}")
    (folder / "go").chmod(0o755)
    (folder / "version").write_text("go1.26.8")
    (folder / "mode").write_text("good")
    for pipe in ("started", "go-on"):
        os.mkfifo(folder / pipe)
    chart = folder / "modules" / "example.org" / "charts" / "demo" / "templates"
    chart.mkdir(parents=True)
    (chart / "service.yaml").write_text("kind: Service\n")
    (chart / "service.yaml").chmod(0o444)
    chart.chmod(0o555)
