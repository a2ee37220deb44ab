"""However a run ends, no half tool is left, no process goes on, and the next run repairs what there is."""

import signal
import subprocess

import pytest

from tests.unit.sandbox.tools.machine import Machine


def end_amid_a_build(machine: Machine, number: signal.Signals) -> "subprocess.CompletedProcess[str]":
    """Send the signal to a run whose build has written half an executable; return when the build has ended too."""
    machine.set_mode("hang")
    with machine.start([machine.demo]) as run:
        with (machine.go / "started").open() as build:
            assert build.read(len("started")) == "started"
            run.send_signal(number)
            assert build.read() == ""
        out, err = run.communicate()
    machine.set_mode("good")
    return subprocess.CompletedProcess([], run.returncode, out, err)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name
)
def test_after_a_killed_run_the_next_one_makes_the_tool(machine: Machine, number: signal.Signals) -> None:
    end_amid_a_build(machine, number)
    assert machine.kept == []

    tools = machine.ensure()

    assert (tools.bin / "demo").read_text().startswith("#!/bin/sh")
    assert machine.left_in_work == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_asked_to_end_cleans_up_itself(machine: Machine, number: signal.Signals) -> None:
    run = end_amid_a_build(machine, number)

    assert run.returncode == 128 + number
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    assert machine.left_in_work == []


def test_an_interrupted_run_says_that_what_is_finished_stays(machine: Machine) -> None:
    run = end_amid_a_build(machine, signal.SIGINT)

    assert run.stderr.endswith("interrupted: what is finished stays, the next run goes on from there\n")
