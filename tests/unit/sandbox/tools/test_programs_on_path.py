"""A program on PATH is used when it has the wanted version, and only then."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.sandbox.tools.machine import Machine


def target(machine: Machine) -> Path:
    return (machine.ensure().bin / "demo").readlink()


def test_the_wanted_version_on_path_is_used(machine: Machine) -> None:
    installed = machine.install("demo", "echo demo v1.2.3")

    assert target(machine) == installed
    assert machine.calls("build") == []


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("echo demo v1.2.4", id="another version"),
        pytest.param("echo demo v1.2.30", id="a version that begins alike"),
        pytest.param("echo demo v1x2y3", id="a version that matches as a pattern only"),
        pytest.param("echo demo v1.2.3; exit 1", id="a program that fails"),
        pytest.param("kill -9 $$", id="a program that dies"),
    ],
)
def test_any_other_answer_leads_to_a_build(machine: Machine, script: str) -> None:
    installed = machine.install("demo", script)

    assert target(machine) != installed
    assert machine.kept == ["demo-1.2.3"]


def test_a_later_folder_of_path_counts_too(machine: Machine) -> None:
    (machine.go / "demo").write_text("#!/bin/sh\necho demo v1.0.0\n")
    (machine.go / "demo").chmod(0o755)
    installed = machine.install("demo", "echo demo v1.2.3")

    assert target(machine) == installed


def test_a_program_that_must_be_our_own_build_is_not_taken_from_path(machine: Machine) -> None:
    machine.install("demo", "echo demo v1.2.3")
    machine.ensure(replace(machine.demo, from_path=False))

    assert machine.kept == ["demo-1.2.3"]


def test_our_own_cache_on_path_is_not_taken_for_an_installation(machine: Machine) -> None:
    first = machine.ensure()
    machine.path.rmdir()
    machine.path.symlink_to(first.bin)
    machine.ensure(replace(machine.demo, tags=()))

    assert machine.kept == ["demo-1.2.3", "demo-1.2.3"]


def test_a_program_that_has_gone_from_path_is_made(machine: Machine) -> None:
    machine.install("demo", "echo demo v1.2.3")
    machine.ensure()
    (machine.path / "demo").unlink()

    assert target(machine).is_relative_to(machine.cache)


def test_asking_for_the_version_leaves_nothing_in_the_home(machine: Machine) -> None:
    machine.install("demo", 'echo x > "$HOME/trace"; echo x > "$XDG_CONFIG_HOME/trace"; echo demo v1.2.3')
    machine.ensure()

    assert list((machine.root / "home").iterdir()) == []
