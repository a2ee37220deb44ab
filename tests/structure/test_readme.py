"""The README keeps up with what it describes, and its example can be run."""

import re
import subprocess
from pathlib import Path

import pytest

from sandbox.demo.places import PLACES
from sandbox.ports import PORTS


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def example_call(readme: str) -> str:
    (block,) = re.findall(r"<!-- example-call -->\n```sh\n(.*?)```\n<!-- /example-call -->", readme, re.DOTALL)
    return str(block)


def test_there_is_one_example_call_and_a_posix_shell_understands_it(readme: str) -> None:
    script = example_call(readme)
    result = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, timeout=10, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_example_call_asks_for_a_postal_code_that_there_is(readme: str) -> None:
    (cep,) = re.findall(r"/consulta/cep/(\d+)", example_call(readme))
    assert cep in PLACES
    assert f'"cep": "{cep}"' in readme


def test_every_port_that_listens_beyond_loopback_is_named(readme: str) -> None:
    (section,) = re.findall(r"\n## Ports beyond loopback\n(.*?)\n## ", readme, re.DOTALL)
    named = {int(number) for number in re.findall(r"\b\d{4,5}\b", section)}
    assert {port.number for port in PORTS if port.everywhere} <= named


def test_every_folder_of_its_table_is_there(readme: str, root: Path) -> None:
    folders = re.findall(r"^\| `([\w/]+/)`", readme, re.MULTILINE)
    assert folders
    assert [folder for folder in folders if not (root / folder).is_dir()] == []
