"""The table agrees with what pins the same versions elsewhere."""

import re
from pathlib import Path

import pytest

from sandbox.tools.definitions import ModuleFile, Program, WheelFile
from sandbox.tools.table import TABLE

MODULE_TOOLS = [tool for tool in TABLE if isinstance(tool, Program | ModuleFile)]
WHEELS = [tool for tool in TABLE if isinstance(tool, WheelFile)]


def required_version(tool: Program | ModuleFile) -> str:
    """The version that go.mod requires of the module with the tool: the longest path that fits."""
    wanted = tool.package if isinstance(tool, Program) else tool.source
    go_mod = (tool.pins.folder / "go.mod").read_text()
    required: list[tuple[str, str]] = re.findall(r"^\t(\S+) v(\S+)", go_mod, re.MULTILINE)
    fitting = {path: version for path, version in required if f"{wanted}/".startswith(f"{path}/")}
    return fitting[max(fitting, key=len)]


@pytest.mark.parametrize("tool", MODULE_TOOLS, ids=lambda tool: tool.name)
def test_the_version_is_the_one_that_go_mod_requires(tool: Program | ModuleFile) -> None:
    assert tool.version == required_version(tool)


@pytest.mark.parametrize("tool", WHEELS, ids=lambda tool: tool.name)
def test_the_version_of_a_wheel_is_the_one_that_is_required(tool: WheelFile, pytestconfig: pytest.Config) -> None:
    requirements = (pytestconfig.rootpath / "requirements" / "platform.in").read_text().splitlines()

    assert f"{tool.distribution}=={tool.version}" in requirements


def test_the_pulumi_cli_and_its_python_sdk_have_one_version(pytestconfig: pytest.Config) -> None:
    requirements = (pytestconfig.rootpath / "requirements" / "platform.in").read_text().splitlines()
    versions = {tool.version for tool in TABLE if tool.name.startswith("pulumi")}

    assert [f"pulumi=={version}" for version in versions] == [line for line in requirements if "pulumi==" in line]


def test_no_two_tools_share_a_name_or_a_place() -> None:
    assert len({tool.name for tool in TABLE}) == len({tool.place for tool in TABLE}) == len(TABLE)


def test_every_folder_of_pins_is_used() -> None:
    used = {tool.pins.folder for tool in MODULE_TOOLS}
    modules = next(iter(used)).parent

    assert used == {path for path in Path(modules).iterdir() if path.is_dir()}
