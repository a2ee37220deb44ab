"""An operator process that tests start, kill and start anew, in the place of the sandbox's own."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from sandbox.layout import Layout
from sandbox.pki import write_private
from sandbox.ports import OPERATOR_PROBE
from sandbox.probes import answers
from sandbox.processes import Processes, Service, base_environment
from sandbox.services import services
from tests.support.go_between import GoBetween, Party
from tests.support.kubectl import eventually

__all__ = ["OwnOperator", "kubeconfig_through", "sandbox_operator", "settings_through", "without_sandbox_operator"]

_NAME: Final = "operator"


def sandbox_operator(layout: Layout) -> Service:
    """How the sandbox starts its operator."""
    return services(layout, Path())[_NAME]


@contextmanager
def without_sandbox_operator(layout: Layout) -> Iterator[None]:
    """While this lasts the sandbox's operator is stopped; afterwards it is back and ready."""
    processes, service = Processes(layout), sandbox_operator(layout)
    processes.stop([_NAME])
    try:
        yield
    finally:
        processes.start(service)
        processes.await_ready(service)


def kubeconfig_through(house: GoBetween, layout: Layout, folder: Path) -> Path:
    """The operator's own access to the API server, by way of the go-between."""
    document = yaml.safe_load(layout.service_kubeconfig(_NAME).read_text(encoding="utf-8"))
    document["clusters"][0]["cluster"]["server"] = house.url(Party.API_SERVER)
    file = folder / "kubeconfig"
    write_private(file, yaml.safe_dump(document))
    return file


def settings_through(house: GoBetween, layout: Layout, folder: Path) -> dict[str, str]:
    """What an operator has to be told so that it reaches both by way of the go-between."""
    return {
        "KUBECONFIG": str(kubeconfig_through(house, layout, folder)),
        "CONECTA_OPERATOR_ISSUER_ADMIN_URL": house.url(Party.ISSUER_ADMIN),
        "CONECTA_OPERATOR_ISSUER_PUBLIC_URL": house.url(Party.ISSUER_PUBLIC),
    }


class OwnOperator:
    """One process at a time, set up as the sandbox's apart from `settings`. It logs where the sandbox's does."""

    def __init__(self, layout: Layout, settings: Mapping[str, str]) -> None:
        self._log = layout.log(_NAME)
        self._service = sandbox_operator(layout)
        self._environment = base_environment() | dict(self._service.environment) | dict(settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; what it is needed for shows when it is ready."""
        assert not self.is_alive
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._service.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )

    def await_ready(self) -> None:
        """Return when everything is watched."""
        is_ready = answers(OPERATOR_PROBE, "/readyz")
        eventually(lambda: self.is_alive and is_ready(), 60)

    def kill(self) -> None:
        """End it by SIGKILL, at once."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End it by SIGTERM, as a rollout does."""
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(timeout=30) == 0
            self._process = None

    def end(self) -> None:
        """See to it that it doesn't run."""
        self.kill()
        if self._process is not None:
            self._process.wait(timeout=10)
            self._process = None
