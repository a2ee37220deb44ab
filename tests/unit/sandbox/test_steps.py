"""The steps of `make up`: in the order of their needs, at once where they can, stopped by the first failure."""

import io
import threading

import pytest

from sandbox.errors import SandboxError
from sandbox.steps import Report, Step, run_steps


def run(*steps: Step) -> str:
    stream = io.StringIO()
    run_steps(steps, Report(stream), lambda: None)
    return stream.getvalue()


def _note(notes: list[str], name: str) -> str:
    notes.append(name)
    return ""


def test_a_step_waits_for_those_that_it_needs() -> None:
    done: list[str] = []

    def step(name: str, *needs: str) -> Step:
        return Step(name, lambda: _note(done, name), needs)

    run(step("call", "operator", "gateway"), step("operator", "etcd"), step("gateway", "etcd"), step("etcd"))
    assert done[0] == "etcd"
    assert done[-1] == "call"


def test_steps_that_do_not_need_each_other_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=5)
    run(Step("etcd", lambda: f"{meeting.wait()}"), Step("hydra", lambda: f"{meeting.wait()}"))


def test_each_step_is_reported_with_its_time_and_note() -> None:
    (line,) = run(Step("certificates", lambda: "10 issued")).splitlines()
    assert line.split() == ["certificates", "0.0", "s", "10", "issued"]


def test_a_failure_ends_the_run_and_later_steps_are_not_started() -> None:
    started: list[str] = []

    def fail() -> str:
        raise SandboxError("no space left")

    with pytest.raises(SandboxError, match="no space left"):
        run(Step("etcd", fail), Step("kube-apiserver", lambda: _note(started, "it"), ("etcd",)))
    assert started == []


def test_what_is_watched_may_end_the_run_while_a_step_goes_on() -> None:
    is_over = threading.Event()

    def died() -> None:
        is_over.set()
        raise SandboxError("etcd has died")

    with pytest.raises(SandboxError, match="etcd has died"):
        run_steps([Step("pulumi up", lambda: f"{is_over.wait(5)}")], Report(io.StringIO()), died)
