"""The program of `tests/bench/load`: the backend that is called, and the callers."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sandbox.layout import Layout
from sandbox.pki import Authority, Certificate, write_private
from tests.support.client_runtimes import LOAD

__all__ = ["BACKEND_HOST", "Job", "Outcome", "backend"]

BACKEND_HOST: Final = "bench.localhost"
"""Envoy resolves every name below localhost to loopback."""
_PATIENCE: Final = 30
"""Seconds beyond those that a job asks for."""


@dataclass(frozen=True)
class Outcome:
    """What came of a job; times in seconds, from when a call was due to the end of its answer."""

    calls: int
    seconds: float
    p50: float
    p99: float
    cpu: float
    """Seconds that the processes of the job have used meanwhile."""

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds


@dataclass(frozen=True)
class Job:
    """Calls to one URL, over so many connections that are kept alive."""

    ca_file: Path
    url: str
    headers: Sequence[Mapping[str, str]]
    """Sets of headers, which the calls use in turn."""
    connections: int
    seconds: float
    rate: int = 0
    """Calls per second, each begun on time; 0 means as fast as it goes."""
    processes: Sequence[int] = ()

    def do(self) -> Outcome:
        """Call. An answer other than 200 is an error: what is measured is what opens."""
        job = {
            "url": self.url,
            "caFile": str(self.ca_file),
            "headers": [dict(headers) for headers in self.headers],
            "connections": self.connections,
            "seconds": self.seconds,
            "rate": self.rate,
            "processes": list(self.processes),
        }
        done = subprocess.run(
            [*LOAD.command, "call"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=self.seconds + _PATIENCE,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{self.url}: {done.stderr.strip()}")
        told = json.loads(done.stdout)
        assert set(told["statuses"]) == {"200"}, f"{self.url}: {told['statuses']}"
        return Outcome(told["calls"], told["seconds"], told["p50"], told["p99"], told["cpu"])


@contextmanager
def backend(layout: Layout) -> Iterator[int]:
    """The port of a backend on loopback whose certificate the sandbox's CA has signed."""
    LOAD.ensure()
    now, name = datetime.now(UTC), "bench-backend"
    wanted = Certificate(name=name, common_name=name, names=(BACKEND_HOST,), server=True)
    certificate, key = Authority.ensure(layout, now).issue(wanted, now)
    layout.certificate(name).write_bytes(certificate)
    write_private(layout.key(name), key)
    files = (str(layout.certificate(name)), str(layout.key(name)))
    with subprocess.Popen(
        [*LOAD.command, "serve", *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()
            server.wait(timeout=10)
