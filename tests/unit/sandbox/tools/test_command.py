"""`python -m sandbox.tools` prints the folder for PATH and nothing else; all other words go to stderr."""

from pathlib import Path

from tests.unit.sandbox.tools.machine import Machine


def test_it_prints_the_folder_for_path(machine: Machine) -> None:
    with machine.start([machine.demo]) as run:
        out, err = run.communicate()

    assert run.returncode == 0
    assert (Path(out.removesuffix("\n")) / "demo").exists()
    assert "[1/1] demo 1.2.3: ready in 0:0" in err


def test_an_error_is_one_message_without_a_traceback(machine: Machine) -> None:
    (machine.go / "go").unlink()
    with machine.start([machine.demo]) as run:
        out, err = run.communicate()

    assert run.returncode == 1
    assert out == ""
    assert err.startswith("error: the tools can't be made ready:\n  - Go is missing")
    assert "Traceback" not in err
