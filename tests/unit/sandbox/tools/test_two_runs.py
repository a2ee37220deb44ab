"""Two runs at once do the work once."""

from tests.unit.sandbox.tools.machine import Machine


def test_the_second_run_says_that_it_waits_and_uses_what_the_first_makes(machine: Machine) -> None:
    machine.set_mode("wait")
    with (
        machine.start([machine.demo]) as first,
        (machine.go / "started").open(),  # returns when the build is under way
        machine.start([machine.demo]) as second,
    ):
        assert second.stderr is not None
        waiting = second.stderr.readline()
        (machine.go / "go-on").write_text("go on")
        first_out, _ = first.communicate()
        second_out, second_err = second.communicate()

    assert f"waiting: process {first.pid} is making the tools" in waiting
    assert "waiting: the other run is done" in second_err
    assert (first.returncode, second.returncode) == (0, 0)
    assert first_out == second_out
    assert len(machine.calls("build")) == 1
