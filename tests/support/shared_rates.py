"""The platform with its rates counted by ratelimit and Redis, as where the gateway has several replicas."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox import counting, pulumi_stack
from sandbox.commands import Commands
from sandbox.layout import Layout
from sandbox.ports import RATELIMIT
from sandbox.processes import Processes
from sandbox.services import ON_DEMAND, services
from tests.support.kubectl import eventually, get

__all__ = ["CountingParts", "counted_together"]

SETTINGS = f"  conecta:rates: {{mode: Shared, service: 'ratelimit.localhost:{RATELIMIT}'}}\n"


class CountingParts:
    """Redis and ratelimit, which tests take away and bring back."""

    def __init__(self, layout: Layout) -> None:
        self._processes = Processes(layout)
        self._services = services(layout, Path("/not/used"))

    def start(self, *names: str) -> None:
        """Start them, and wait until they are ready."""
        for name in names:
            self._processes.start(self._services[name])
            self._processes.await_ready(self._services[name])

    def stop(self, *names: str) -> None:
        """End them."""
        self._processes.stop(names)

    @contextmanager
    def stalled(self, name: str) -> Iterator[None]:
        """Let one hold its connections, and answer nothing."""
        state = self._processes.state(name)
        assert state is not None
        assert state.pid is not None
        os.kill(state.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(state.pid, signal.SIGCONT)


def _is_programmed() -> bool:
    """Whether the gateway has taken the patches as they are now."""
    patches = get("envoypatchpolicy", "conecta-gateway", "conecta")
    stated = [said for ancestor in patches["status"]["ancestors"] for said in ancestor["conditions"]]
    current = [said for said in stated if said["observedGeneration"] == patches["metadata"]["generation"]]
    return {"Accepted", "Programmed"} <= {said["type"] for said in current if said["status"] == "True"}


@contextmanager
def counted_together(layout: Layout, folder: Path) -> Iterator[CountingParts]:
    """Set the stack so, by its own program, and set it back afterwards."""
    file = layout.repository / "environments" / "Pulumi.sandbox.yaml"
    changed = folder / "Pulumi.sandbox.yaml"
    changed.write_text(file.read_text(encoding="utf-8").replace("config:\n", f"config:\n{SETTINGS}"), encoding="utf-8")
    commands, parts = Commands(layout), CountingParts(layout)
    try:
        pulumi_stack.provision(layout, commands, settings=changed)
        assert counting.take_settings(layout, commands)
        parts.start(*ON_DEMAND)
        eventually(_is_programmed)
        yield parts
    finally:
        pulumi_stack.provision(layout, commands)
        parts.stop(*reversed(ON_DEMAND))
