"""Where the plugins are put, and what they say of themselves."""

import subprocess
from pathlib import Path

import pytest

from sandbox.pulumi.install import install

PLUGINS = [
    pytest.param("language-python-v3.259.0", "pulumi-language-python", id="language host"),
    pytest.param("resource-kubernetes-v4.34.2", "pulumi-resource-kubernetes", id="provider"),
]


@pytest.mark.parametrize(("folder", "program"), PLUGINS)
def test_a_plugin_lies_in_the_cache_and_says_that_it_is_for_sandboxes(
    tmp_path: Path, folder: str, program: str
) -> None:
    install(tmp_path)
    said = subprocess.run(
        [tmp_path / "plugins" / folder / program, "--help"], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout

    assert (tmp_path / "plugins" / f"{folder}.lock").exists()
    assert "for sandboxes" in said.splitlines()[0]


def test_installing_twice_is_harmless_and_leaves_nothing_else(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path)

    assert sorted(path.name for path in (tmp_path / "plugins").iterdir()) == [
        "language-python-v3.259.0",
        "language-python-v3.259.0.lock",
        "resource-kubernetes-v4.34.2",
        "resource-kubernetes-v4.34.2.lock",
    ]
