"""Runs the program, or a part of it, under Pulumi's mocks, and hands back everything that it registered."""

import asyncio
import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi.runtime
import pytest
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from typing_extensions import override

__all__ = ["ROOT", "STACK_FILES", "Made", "Project", "Stack", "deploy", "settings_of", "whole_program"]

ROOT = Path(__file__).parents[2]
STACK_FILES = sorted((ROOT / "environments").glob("Pulumi.*.yaml"))


@dataclass(frozen=True)
class Made:
    """One resource, as the engine hears of it. `request` has what inputs don't: parent, provider, protection."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    request: Any

    @property
    def manifest(self) -> dict[str, Any]:
        """The inputs, secrets unwrapped."""
        return {key: rpc.unwrap_rpc_secret(value) for key, value in self.inputs.items()}

    @property
    def object_name(self) -> str | None:
        """What the cluster is to call it; None: whatever it likes."""
        return (self.manifest.get("metadata") or {}).get("name")

    @property
    def parent_type(self) -> str:
        """The type token of the resource that it is a part of."""
        return str(self.request.parent.split("::")[2].rpartition("$")[2])

    @property
    def needs(self) -> set[str]:
        """The logical names of what must be there first."""
        return {urn.rpartition("::")[2] for urn in self.request.dependencies}


@dataclass(frozen=True)
class Stack:
    """All that a program registered, but for the stack itself."""

    resources: list[Made]

    def __iter__(self) -> Iterator[Made]:
        return iter(self.resources)

    def __getitem__(self, name: str) -> Made:
        return next(made for made in self.resources if made.name == name)

    def of(self, kind: str) -> list[Made]:
        """The resources of a kind, such as `Namespace`."""
        return [made for made in self.resources if made.type.rpartition(":")[2] == kind]


@dataclass(frozen=True)
class Project:
    """The folder that the program runs in, and the way by which the engine hands it its settings."""

    folder: Path
    _environment: pytest.MonkeyPatch

    def configure(self, config: Mapping[str, Any]) -> None:
        """Set all settings: structures as JSON, in one environment variable."""
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        self._environment.setenv("PULUMI_CONFIG", json.dumps(texts))


@dataclass
class _Recorder(Mocks):
    """Answers as a cluster would that takes everything as it is given."""

    made: list[MockResourceArgs] = field(default_factory=list)

    @override
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.made.append(args)
        return f"{args.name}-id", dict(args.inputs)

    @override
    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program asks the outside world: {args.token}")


@contextmanager
def _closed_loop() -> Iterator[None]:
    """Give this thread a loop, and close it: Pulumi's mocks make one for every thread, and leave it open."""
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        yield


class _Monitor(MockMonitor):
    """Keeps the requests themselves."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.requests: dict[tuple[str, str], Any] = {}

    @override
    def RegisterResource(self, request: Any) -> Any:
        self.requests[request.type, request.name] = request
        with _closed_loop():
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def deploy(program: Callable[[], object], *, preview: bool = False) -> Stack:
    """Run a program in a thread of its own: so it has settings, a root and a loop which no other test sees."""
    recorder = _Recorder()
    monitor = _Monitor(recorder)

    def inside() -> None:
        with _closed_loop():
            pulumi.runtime.set_mocks(recorder, project="conecta", stack="test", preview=preview, monitor=monitor)
            pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]

    with ThreadPoolExecutor(max_workers=1) as threads:
        threads.submit(inside).result()
    return Stack(
        [Made(args.typ, args.name, args.inputs, monitor.requests[args.typ, args.name]) for args in recorder.made]
    )


def settings_of(file: Path) -> dict[str, Any]:
    """Read the `config` of a stack file."""
    config: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    return config


def whole_program() -> None:
    """Do what `pulumi up` runs."""
    runpy.run_path(str(ROOT / "__main__.py"))
