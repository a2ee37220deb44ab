"""Services as processes: started apart from us, known by more than their id, ended with all that they started."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import wrapper
from sandbox.errors import SandboxError, ServiceDied
from sandbox.layout import Layout
from sandbox.processes import Processes, Service, wait_until

WAITING = "import signal; signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
WITH_CHILD = (
    f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {WAITING!r}]).pid, flush=True); " + WAITING
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.create()
    return layout


@pytest.fixture
def processes(layout: Layout) -> Iterator[Processes]:
    processes = Processes(layout)
    yield processes
    processes.stop(processes.names(), grace=0.1)


def a_service(program: str, *, name: str = "etcd", is_ready: Callable[[], bool] = lambda: True) -> Service:
    return Service(name=name, argv=(sys.executable, "-S", "-c", program), is_ready=is_ready, time_limit=5)


def until(holds: Callable[[], object]) -> None:
    wait_until(lambda: bool(holds()), 5, "not within 5 s")


def dead(processes: Processes, name: str = "etcd") -> bool:
    return not processes.is_running(name)


def test_a_started_service_runs_in_a_session_of_its_own(processes: Processes) -> None:
    assert processes.start(a_service(WAITING))
    until(lambda: (state := processes.state("etcd")) and state.pid)
    state = processes.state("etcd")
    assert state
    assert state.is_running
    assert state.pid
    assert os.getsid(state.pid) not in {0, os.getsid(0)}


def test_starting_what_runs_does_nothing(processes: Processes) -> None:
    processes.start(a_service(WAITING))
    before = processes.state("etcd")
    assert not processes.start(a_service(WAITING))
    until(lambda: (state := processes.state("etcd")) and before and state.since == before.since)


def test_a_service_that_died_is_reported_with_exit_code_and_last_words(processes: Processes, layout: Layout) -> None:
    service = a_service("print('no space left'); raise SystemExit(7)", is_ready=lambda: False)
    processes.start(service)
    with pytest.raises(ServiceDied) as caught:
        processes.await_ready(service)
    assert caught.value.exit_code == 7
    assert str(caught.value).startswith(f"etcd has died with exit code 7; the end of {layout.log('etcd')}:")
    assert "no space left" in str(caught.value)


def test_a_service_killed_by_a_signal_has_its_number_as_exit_code(processes: Processes) -> None:
    processes.start(a_service(WAITING))
    until(lambda: (state := processes.state("etcd")) and state.pid)
    state = processes.state("etcd")
    assert state
    assert state.pid
    os.kill(state.pid, signal.SIGKILL)
    until(lambda: dead(processes))
    after = processes.state("etcd")
    assert after
    assert after.exit_code == -signal.SIGKILL


def test_a_program_that_cannot_be_started_is_dead_and_says_why(processes: Processes, layout: Layout) -> None:
    processes.start(Service(name="etcd", argv=("/nonexistent/etcd",), is_ready=lambda: True))
    until(lambda: dead(processes))
    with pytest.raises(ServiceDied, match="exit code 127"):
        processes.check(["etcd"])
    assert "/nonexistent/etcd can't be started: No such file" in layout.log("etcd").read_text()


def test_a_service_that_does_not_become_ready_is_named(processes: Processes) -> None:
    service = Service(name="etcd", argv=(sys.executable, "-c", WAITING), is_ready=lambda: False, time_limit=0.1)
    processes.start(service)
    with pytest.raises(SandboxError, match="etcd runs but has not become ready within 0 s"):
        processes.await_ready(service)


def test_a_dead_service_is_started_again(processes: Processes) -> None:
    processes.start(a_service("raise SystemExit(1)"))
    until(lambda: dead(processes))
    assert processes.start(a_service(WAITING))
    assert processes.is_running("etcd")


def test_stopping_ends_what_a_service_has_started(processes: Processes, layout: Layout) -> None:
    processes.start(a_service(WITH_CHILD))
    until(lambda: layout.log("etcd").read_text().strip())
    child = int(layout.log("etcd").read_text())
    assert processes.stop(["etcd"]) == ["etcd"]
    until(lambda: wrapper.identity(child) is None)
    assert processes.names() == []


def test_what_ignores_the_request_to_end_is_killed(processes: Processes, layout: Layout) -> None:
    processes.start(a_service(DEAF))
    until(lambda: "deaf" in layout.log("etcd").read_text())
    processes.stop(["etcd"], grace=0.05)
    assert processes.state("etcd") is None


def test_stopping_what_does_not_run_does_nothing(processes: Processes) -> None:
    assert processes.stop(["etcd"]) == []


def test_a_process_that_only_has_the_same_id_is_left_alone(processes: Processes, layout: Layout) -> None:
    """After a reboot, or much later, somebody else has the number."""
    record = {
        "leader": os.getpid(),
        "leader_identity": "other/1",
        "pid": os.getpid(),
        "identity": "other/1",
        "started": 0,
    }
    (layout.records / "etcd.json").write_text(json.dumps(record))
    assert dead(processes)
    assert processes.stop(["etcd"]) == []
    assert processes.names() == []


def test_a_service_whose_wrapper_was_killed_is_still_known_and_ended(processes: Processes, layout: Layout) -> None:
    processes.start(a_service(WAITING))
    until(lambda: "pid" in json.loads((layout.records / "etcd.json").read_text()))
    record = json.loads((layout.records / "etcd.json").read_text())
    os.kill(record["leader"], signal.SIGKILL)
    until(lambda: wrapper.identity(record["leader"]) is None)
    assert processes.is_running("etcd")
    assert processes.stop(["etcd"]) == ["etcd"]
    assert wrapper.identity(record["pid"]) is None


def test_an_ended_process_has_no_identity() -> None:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], {})
    until(lambda: wrapper.identity(pid) is None)  # a zombie, until it is waited for
    os.waitpid(pid, 0)
    assert wrapper.identity(pid) is None


def test_the_environment_of_the_caller_is_not_handed_on(
    processes: Processes, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/of/somebody/else")
    service = a_service("import os; print(sorted(os.environ), flush=True)")
    processes.start(service)
    until(lambda: dead(processes))
    assert "KUBECONFIG" not in layout.log("etcd").read_text()
    with contextlib.suppress(ServiceDied):
        processes.check(["etcd"])
