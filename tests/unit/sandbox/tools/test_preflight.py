"""What a build needs and doesn't have is said at once, before anything starts."""

from dataclasses import replace

import pytest

from sandbox.tools import ToolsError
from sandbox.tools.definitions import Pins, Tool, WheelFile
from sandbox.tools.toolchain import GoVersion, parse_go_version
from tests.unit.sandbox.tools.machine import Machine

MISSING_WHEEL = WheelFile(name="envoy", version="1.0.0", distribution="no-such-distribution", path="envoy")
PETABYTE_IN_MB = 10**9


def refusal(machine: Machine, *tools: Tool) -> str:
    with pytest.raises(ToolsError) as caught:
        machine.ensure(*tools)
    assert machine.calls("build") == []
    assert machine.calls("list") == []
    assert machine.kept == []
    return str(caught.value)


def test_without_go_it_says_which_to_install(machine: Machine) -> None:
    (machine.go / "go").unlink()

    assert refusal(machine) == (
        "the tools can't be made ready:\n"
        "  - Go is missing, which makes demo: "
        "install Go 1.26.7 or newer from https://go.dev/dl/ and put its bin folder first on PATH"
    )


def test_a_go_that_does_not_run_is_named(machine: Machine) -> None:
    (machine.go / "go").write_text("#!/bin/sh\nexit 1\n")

    assert f"the Go at {machine.go}/go doesn't work (try `go env`)" in refusal(machine)


@pytest.mark.parametrize("version", ["go1.26.6", "go1.9.10", "go1.26rc2", "unknown"])
def test_a_go_that_is_too_old_is_named_with_the_one_to_install(machine: Machine, version: str) -> None:
    (machine.go / "version").write_text(version)
    text = refusal(machine)

    assert f"the Go at {machine.go}/go is too old ({version}) for demo: install Go 1.26.7 or newer" in text


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("go1.26.8", (1, 26, 8), id="a release"),
        pytest.param("1.26", (1, 26, 0), id="a language version"),
        pytest.param("go1.27rc1", (1, 27, -1), id="before a release"),
        pytest.param("go1.26.8 X:jsonv2", (1, 26, 8), id="with experiments"),
        pytest.param("devel go1.28-3ab1c5f Tue", (1, 28, 0), id="from the source"),
        pytest.param("devel", None, id="no number"),
    ],
)
def test_versions_of_go_are_understood(text: str, version: GoVersion | None) -> None:
    assert parse_go_version(text) == version


def test_without_a_c_compiler_it_says_what_needs_one(machine: Machine) -> None:
    text = refusal(machine, machine.demo, replace(machine.demo, name="database", cgo=True))

    assert "a C compiler with the C library's headers is missing, which database needs" in text
    assert "apt-get install gcc libc6-dev" in text


def test_a_c_compiler_is_not_asked_for_where_none_is_needed(machine: Machine) -> None:
    machine.ensure()

    assert machine.kept == ["demo-1.2.3"]


def test_too_little_disk_is_said_with_what_is_needed_and_where(machine: Machine) -> None:
    text = refusal(machine, replace(machine.demo, objects_mb=PETABYTE_IN_MB))

    assert "too little disk: about 2300000.2 GB are needed" in text
    for place in (
        f"tools {machine.cache}: 1150000.2 GB",
        f"GOCACHE {machine.go}/objects: 1150000.0 GB",
        f"GOMODCACHE {machine.go}/modules: 0.0 GB",
    ):
        assert place in text


def test_what_gos_caches_hold_already_needs_no_disk_again(machine: Machine) -> None:
    source = machine.go / "modules" / "example.org" / "large"
    with source.open("wb") as file:
        file.truncate(2 * PETABYTE_IN_MB * 10**3)
    pins = Pins(folder=machine.demo.pins.folder, modules_mb=PETABYTE_IN_MB // 10**3)
    machine.ensure(replace(machine.demo, pins=pins))

    assert machine.kept == ["demo-1.2.3"]


def test_a_wheel_that_is_not_installed_is_named(machine: Machine) -> None:
    text = refusal(machine, machine.demo, MISSING_WHEEL)

    assert "envoy 1.0.0 comes with the Python package no-such-distribution==1.0.0" in text


def test_a_wheel_in_another_version_is_not_used(machine: Machine) -> None:
    other = WheelFile(name="pytest", version="0.0.1", distribution="pytest", path="pytest/py.typed")

    assert "pytest 0.0.1 comes with the Python package pytest==0.0.1" in refusal(machine, other)


def test_everything_that_is_missing_is_said_in_one_message(machine: Machine) -> None:
    (machine.go / "go").unlink()
    text = refusal(machine, replace(machine.demo, cgo=True, objects_mb=PETABYTE_IN_MB), MISSING_WHEEL)

    assert [line[:10] for line in text.splitlines()[1:]] == ["  - envoy ", "  - Go is ", "  - a C co", "  - too li"]


def test_nothing_is_asked_for_when_all_is_there(machine: Machine) -> None:
    tools = machine.ensure()
    (machine.go / "go").unlink()

    assert machine.ensure() == tools
