"""Pulumi's language host for Python programs, in Python: the official one can't be downloaded everywhere.

The CLI starts it as `pulumi-language-python`, and asks it over gRPC to run a project's program. The program itself is
run by `pulumi-language-python-exec`, which comes with the SDK's sources and lies beside the CLI.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2
from typing_extensions import override

from sandbox.pulumi.lifeline import when_orphaned

__all__ = ["LanguageHost", "main"]

EXEC: Final = "pulumi-language-python-exec"
LEASH: Final = Path(__file__).parents[1] / "tools" / "leash.py"
"""Ties a program to us: when this host is killed, no program may go on alone."""

HAS_SHOWN_ITS_ERROR: Final = 32
"""Exit code by which a program says that the person at the CLI has been told already."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs Python programs for one CLI."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._programs: set[subprocess.Popen[bytes]] = set()
        self._is_stopping = threading.Event()

    def stop(self) -> None:
        """End the programs that still run."""
        self._is_stopping.set()
        for program in tuple(self._programs):
            _terminate(program)

    @override
    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    @override
    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    @override
    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()  # each provider is found when its first resource needs it

    @override
    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    @override
    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        message = (
            "This language host for sandboxes installs nothing: the project's virtual environment is ready or not.\n"
        )
        yield language_pb2.InstallDependenciesResponse(stderr=message.encode())

    @override
    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    @override
    def Run(self, request: Any, context: Any) -> Any:
        try:
            command = _command(request, self._engine)
        except FileNotFoundError as error:
            return language_pb2.RunResponse(error=str(error))
        code = self._run(command, _environment(request), request.info.program_directory)
        if code == 0:
            return language_pb2.RunResponse()
        if code == HAS_SHOWN_ITS_ERROR:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}")

    def _run(self, command: list[str], environment: dict[str, str], directory: str) -> int:
        program = subprocess.Popen(
            [sys.executable, "-IS", str(LEASH), str(os.getpid()), *command],
            env=environment,
            cwd=directory,
            start_new_session=True,  # Ctrl-C goes to the CLI, which knows how to end in order
        )
        self._programs.add(program)
        if self._is_stopping.is_set():
            _terminate(program)
        try:
            return program.wait()
        finally:
            self._programs.discard(program)

    @override
    def Cancel(self, request: Any, context: Any) -> Any:
        self.stop()
        return empty_pb2.Empty()


def _terminate(program: subprocess.Popen[bytes]) -> None:
    if program.poll() is None:
        os.killpg(program.pid, signal.SIGTERM)


def _command(request: Any, engine: str) -> list[str]:
    executor = shutil.which(EXEC)
    if executor is None:
        raise FileNotFoundError(f"{EXEC} is not on PATH; it belongs beside the pulumi command")
    info = request.info
    options = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": str(request.dryRun).lower(),
        "parallel": str(request.parallel),
        "organization": request.organization,
        "root_directory": info.root_directory,
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    program = Path(info.program_directory) / (info.entry_point or ".")
    return [str(_interpreter(info)), "-u", executor, *flags, str(program), *request.args]


def _interpreter(info: Any) -> Path:
    """Python of the project's `virtualenv` option, relative to Pulumi.yaml; without one, that which runs this host."""
    environment = json_format.MessageToDict(info.options).get("virtualenv")
    if not environment:
        return Path(sys.executable)
    interpreter = Path(info.root_directory, environment, "bin", "python")
    if not interpreter.exists():
        raise FileNotFoundError(f"the project's virtual environment {environment} has no {interpreter}")
    return interpreter


def _environment(request: Any) -> dict[str, str]:
    return os.environ | {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def main() -> None:
    """Serve until the CLI that started us says stop, or is gone."""
    parser = argparse.ArgumentParser(prog="pulumi-language-python (for sandboxes)", description=__doc__)
    parser.add_argument("engine", help="address of Pulumi's engine")
    arguments, _ = parser.parse_known_args()
    host = LanguageHost(arguments.engine)
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    when_orphaned(stopped.set)
    print(port, flush=True)  # noqa: T201  # how Pulumi learns where we are
    stopped.wait()
    host.stop()
    server.stop(grace=1).wait()
