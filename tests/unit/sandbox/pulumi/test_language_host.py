"""Which program the language host starts, and with which Python."""

import os
from pathlib import Path

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import language_pb2

from sandbox.pulumi.language_host import LanguageHost


@pytest.fixture
def context() -> grpc.ServicerContext | None:
    """The host asks nothing of its caller."""
    return None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and an executor on PATH that writes down how it was called and ends as EXIT says."""
    executor = tmp_path / "bin" / "pulumi-language-python-exec"
    executor.parent.mkdir()
    executor.write_text(
        "import json, os, sys\n"
        "json.dump([sys.argv[1:], os.getcwd(), os.environ['PULUMI_CONFIG']], open('called.json', 'w'))\n"
        "sys.exit(int(os.environ.get('EXIT', 0)))\n"
    )
    executor.chmod(0o755)
    monkeypatch.setenv("PATH", str(executor.parent), prepend=os.pathsep)
    return tmp_path


def request(folder: Path, **options: str) -> language_pb2.RunRequest:
    settings = struct_pb2.Struct()
    settings.update(options)
    info = language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point=".", options=settings
    )
    return language_pb2.RunRequest(
        project="p", stack="s", monitor_address="m:1", parallel=4, dryRun=True, config={"p:k": "v"}, info=info
    )


def test_the_program_runs_in_its_folder_with_what_the_cli_said(folder: Path, context: None) -> None:
    answer = LanguageHost("engine:1").Run(request(folder), context)
    called = (folder / "called.json").read_text()

    assert answer == language_pb2.RunResponse()
    for part in ('"--monitor", "m:1"', '"--engine", "engine:1"', '"--dry_run", "true"', f'"{folder}"', "p:k"):
        assert part in called


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        pytest.param("32", language_pb2.RunResponse(bail=True), id="it has shown its error itself"),
        pytest.param("3", language_pb2.RunResponse(error="the program ended with exit code 3"), id="it has not"),
    ],
)
def test_a_failed_program_is_reported_once(
    folder: Path, context: None, monkeypatch: pytest.MonkeyPatch, code: str, answer: language_pb2.RunResponse
) -> None:
    monkeypatch.setenv("EXIT", code)

    assert LanguageHost("engine:1").Run(request(folder), context) == answer


def test_a_virtual_environment_that_is_not_there_is_named(folder: Path, context: None) -> None:
    answer = LanguageHost("engine:1").Run(request(folder, virtualenv="nowhere"), context)

    assert "virtual environment nowhere" in answer.error


def test_a_missing_executor_is_named(folder: Path, context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))

    assert "pulumi-language-python-exec is not on PATH" in LanguageHost("engine:1").Run(request(folder), context).error
