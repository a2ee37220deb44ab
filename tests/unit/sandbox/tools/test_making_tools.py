"""What is missing is made once, by the pinned recipe, and found again."""

import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.tools import Tools, ToolsError
from sandbox.tools.definitions import Program, WheelFile
from tests.unit.sandbox.tools.machine import Machine


def installed_wheel() -> WheelFile:
    return WheelFile(name="wheel", version=pytest.__version__, distribution="pytest", path="pytest/py.typed")


def test_what_is_missing_is_made_and_linked_in_one_folder(machine: Machine) -> None:
    tools = machine.ensure(machine.demo, machine.chart, installed_wheel())

    assert sorted(path.name for path in tools.bin.iterdir()) == ["demo", "wheel"]
    assert os.access(tools.bin / "demo", os.X_OK)
    assert (tools.share / "chart" / "templates" / "service.yaml").read_text() == "kind: Service\n"
    assert machine.kept == ["chart-1.2.3", "demo-1.2.3"]
    assert machine.left_in_work == []


def test_what_is_there_is_found_without_go_and_without_a_word(machine: Machine) -> None:
    first = machine.ensure(machine.demo, machine.chart)
    shutil.rmtree(machine.go)
    machine.said.truncate(0)

    assert machine.ensure(machine.demo, machine.chart) == first
    assert machine.said.getvalue() == ""


def test_only_what_is_missing_is_made(machine: Machine) -> None:
    machine.ensure(machine.demo)
    other = replace(machine.demo, name="other")
    machine.ensure(machine.demo, other)

    assert [call["arguments"][-1] for call in machine.calls("build")] == ["example.org/demo"] * 2
    assert "[1/1] other 1.2.3" in machine.said.getvalue()


def test_a_file_out_of_the_read_only_module_cache_can_be_changed_and_removed(machine: Machine) -> None:
    copied = (machine.ensure(machine.chart).share / "chart" / "templates").resolve()

    for path in (copied, copied / "service.yaml"):
        assert path.stat().st_mode & stat.S_IWUSR


def test_a_file_that_is_to_be_run_is_executable(machine: Machine) -> None:
    script = replace(machine.chart, path="charts/demo/templates/service.yaml", executable=True)

    assert os.access(machine.ensure(script).share / "chart", os.X_OK)


def test_a_link_that_somebody_removed_comes_back(machine: Machine) -> None:
    first = machine.ensure()
    (first.bin / "demo").unlink()

    assert machine.ensure() == first
    assert (first.bin / "demo").exists()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"package": "example.org/other"}, id="the package"),
        pytest.param({"symbols": {}}, id="what the linker sets"),
        pytest.param({"tags": ()}, id="a build tag"),
    ],
)
def test_a_tool_is_made_anew_when_its_definition_changes(machine: Machine, changed: dict[str, object]) -> None:
    machine.ensure()
    machine.ensure(replace(machine.demo, **changed))  # type: ignore[arg-type]

    assert len(machine.calls("build")) == 2


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_a_tool_is_made_anew_when_its_pins_change(machine: Machine, file: str) -> None:
    machine.ensure()
    with (machine.demo.pins.folder / file).open("a") as pins:
        pins.write("\n")
    machine.ensure()

    assert len(machine.calls("build")) == 2


def test_a_newer_go_alone_makes_nothing_anew(machine: Machine) -> None:
    machine.ensure()
    (machine.go / "version").write_text("go1.27.0")
    machine.ensure()

    assert len(machine.calls("build")) == 1


def test_the_recipe_decides_what_is_built_and_the_user_where_it_comes_from(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Machine,
        "environment",
        {
            **machine.environment,
            "GOFLAGS": "-race",
            "GOARCH": "mips",
            "CGO_ENABLED": "1",
            "CGO_CFLAGS": "-O0",
            "CC": "x",
        },
    )
    machine.ensure()
    build = machine.calls("build")[0]

    assert build["arguments"][:-2] == [
        *("build", "-v", "-trimpath", "-buildvcs=false", "-tags=one,two"),
        "-ldflags=-s -w -X=example.org/demo.version=v1.2.3",
    ]
    assert build["environment"].keys().isdisjoint({"GOARCH", "CGO_CFLAGS", "CC"})
    wanted = {
        "GOENV": "off",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOPROXY": "https://proxy.example",
        "GOCACHE": str(machine.go / "objects"),
    }
    assert wanted.items() <= build["environment"].items()


def test_go_works_in_our_cache_and_leaves_nothing_elsewhere(machine: Machine) -> None:
    machine.ensure()

    for variable in ("GOTMPDIR", "TMPDIR", "TEST_TELEMETRY_DIR"):
        assert Path(machine.calls("build")[0]["environment"][variable]).is_relative_to(machine.cache / "work")
    assert list((machine.root / "home").iterdir()) == []


def cgo(demo: Program) -> Program:
    return replace(demo, cgo=True)


def test_a_program_that_needs_c_is_built_with_the_compiler_that_works(machine: Machine) -> None:
    machine.install("gcc", "exit 1")
    machine.install("clang", "exit 0")
    machine.ensure(cgo(machine.demo))
    build = machine.calls("build")[0]

    assert {"CGO_ENABLED": "1", "CC": "clang"}.items() <= build["environment"].items()


def test_a_failing_build_names_the_tool_its_last_words_and_its_log(machine: Machine) -> None:
    machine.set_mode("fail")
    with pytest.raises(ToolsError) as caught:
        machine.ensure()

    log = machine.cache / "logs" / "demo.log"
    assert str(caught.value).splitlines() == [
        "demo 1.2.3 couldn't be made: `go build` ended with 1",
        "  | go: downloading example.org/a v1.0.0",
        "  | go: downloading example.org/b v1.0.0",
        "  | example.org/a",
        "  | example.org/b",
        "  | # example.org/c",
        "  | c.go:1:1: undefined: x",
        f"  all of it: {log}",
    ]
    assert "undefined: x" in log.read_text()
    assert machine.kept == []
    assert machine.left_in_work == []


def test_a_program_that_does_not_tell_its_version_is_not_kept(machine: Machine) -> None:
    machine.set_mode("lie")
    with pytest.raises(ToolsError, match=r"it should be 1\.2\.3, but `demo --version` says: demo v0\.0\.1"):
        machine.ensure()

    assert machine.kept == []


def test_a_file_that_its_module_lacks_is_named(machine: Machine) -> None:
    with pytest.raises(ToolsError, match=r"the module example\.org/chart has no charts/other"):
        machine.ensure(replace(machine.chart, path="charts/other"))


def test_a_cache_that_can_not_be_written_is_named(machine: Machine) -> None:
    (machine.root / "cache").write_text("a file where the folder should be")
    with pytest.raises(ToolsError, match=r"cache folder .* can't be written .* XDG_CACHE_HOME"):
        machine.ensure()


def test_the_result_is_a_value(machine: Machine) -> None:
    folder = machine.ensure().bin.parent

    assert machine.ensure() == Tools(bin=folder / "bin", share=folder / "share")
