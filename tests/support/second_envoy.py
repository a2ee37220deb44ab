"""A second Envoy beside the sandbox's, on the same address: the kernel spreads connections over both."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import urllib3

from sandbox.envoy_process import bootstrap, envoy_service
from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN
from tests.support.kubectl import eventually

__all__ = ["ADMINS", "answered", "second_envoy"]

_ADMIN: Final = 19100
ADMINS: Final = (ENVOY_ADMIN, _ADMIN)
"""Where each of the two tells of itself."""


@contextmanager
def second_envoy(layout: Layout, folder: Path) -> Iterator[None]:
    """It serves what the first serves, by the same configuration from Envoy Gateway."""
    configuration = bootstrap(layout.gateway_certificates / "envoy")
    configuration["admin"]["address"]["socket_address"]["port_value"] = _ADMIN
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    argv = list(envoy_service(layout).argv)
    argv[argv.index("--config-path") + 1] = str(file)
    with (folder / "envoy.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            eventually(_is_live, seconds=20)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


def answered(admin: int) -> int:
    """How many calls an Envoy has answered so far, whatever with."""
    text = urllib3.request("GET", f"http://127.0.0.1:{admin}/stats?filter=downstream_rq_completed", timeout=5).data
    return sum(int(value) for value in re.findall(r"^http\.https-.*: (\d+)$", text.decode(), re.MULTILINE))


def _is_live() -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{_ADMIN}/ready", timeout=5, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
