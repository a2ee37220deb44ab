"""`make down`: in order, wholly, and nothing of others."""

import io
import sys
from collections.abc import Iterable
from pathlib import Path

from typing_extensions import override

from sandbox.down import down, stop_in_order
from sandbox.layout import Layout
from sandbox.locks import locked
from sandbox.processes import Processes, Service
from sandbox.steps import Report


class Recorder(Processes):
    """Writes down what is stopped."""

    def __init__(self) -> None:
        self.stopped: list[list[str]] = []

    @override
    def stop(self, names: Iterable[str], grace: float = 0) -> list[str]:
        self.stopped.append(list(names))
        return self.stopped[-1]


def said(layout: Layout) -> str:
    stream = io.StringIO()
    down(layout, Report(stream))
    return stream.getvalue()


def test_services_end_before_those_that_they_need() -> None:
    processes = Recorder()
    stop_in_order(processes, ["etcd", "hydra", "kube-apiserver", "operator", "envoy", "one of an older version"])
    assert processes.stopped == [
        ["one of an older version"],
        ["operator"],
        ["envoy"],
        ["hydra"],
        ["kube-apiserver"],
        ["etcd"],
    ]


def test_without_a_sandbox_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert said(Layout(tmp_path)) == "there is no sandbox\n"
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_is_ended_and_its_folder_removed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.create()
    (layout.bin / "etcd").symlink_to(tmp_path)
    processes = Processes(layout)
    program = "import signal; signal.pause()"
    processes.start(Service(name="etcd", argv=(sys.executable, "-c", program), is_ready=lambda: True))
    assert said(layout) == "ended: etcd\n"
    assert list(tmp_path.iterdir()) == []


def test_half_a_sandbox_is_removed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.state.mkdir()
    (layout.state / "env").write_text("")
    assert said(layout) == "nothing was running\n"
    assert not layout.state.exists()


def test_the_folder_stays_as_a_mount_point_while_tests_run(tmp_path: Path) -> None:
    """Removing it would take the mount away in the tests' namespace as well."""
    layout = Layout(tmp_path)
    layout.create()
    with locked(layout.test_state):
        said(layout)
        assert list(layout.state.iterdir()) == []
