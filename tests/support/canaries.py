"""Secrets and CPFs that the tests hand to the platform, and the search for them in all that it leaves behind."""

import base64
import json
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from conecta_operator.api.objects import Manifest
from sandbox.demo import cpf
from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN, OPERATOR_PROBE
from sandbox.probes import request
from tests.support.kubectl import kubectl
from tests.support.pulumi import pulumi

__all__ = ["CANARIES", "Canaries", "collect", "found_in"]

GATEWAY_METRICS: Final = 19001


@dataclass
class Canaries:
    """All that has been handed over so far in this run."""

    secrets: set[str] = field(default_factory=set)
    cpfs: set[str] = field(default_factory=set)
    _random: Random = field(default_factory=lambda: Random(secrets.token_bytes(8)))  # noqa: S311 - numbers of nobody

    def secret(self, text: str | None = None) -> str:
        """Note a secret, which is a fresh one if none is given."""
        text = secrets.token_urlsafe(32) if text is None else text
        self.secrets.add(text)
        return text

    def cpf(self) -> str:
        """A fresh CPF that holds by its check digits."""
        number = cpf.from_base(f"{self._random.randrange(10**9):09}")
        self.cpfs.add(number)
        return number

    def needles(self) -> set[str]:
        """The forms in which any of them would show."""
        forms = set(self.secrets) | self.cpfs
        forms |= {base64.b64encode(text.encode()).decode() for text in self.secrets}
        return forms | {f"{each[:3]}.{each[3:6]}.{each[6:9]}-{each[9:]}" for each in self.cpfs}


CANARIES: Final = Canaries()
"""Those of this run: whatever key a test takes out of a Secret, and whatever token it gets, is one of them."""


def found_in(places: Iterable[Path], needles: Iterable[str], scratch: Path) -> list[str]:
    """Where any of these stands in files and folders, as `file: needle`."""
    patterns = scratch / "needles"
    patterns.write_text("".join(f"{needle}\n" for needle in sorted(needles)))
    command = [
        "grep",
        "--recursive",
        "--text",
        "--only-matching",
        "--byte-offset",
        "--with-filename",
        "--fixed-strings",
    ]
    done = subprocess.run(
        [*command, f"--file={patterns}", *map(str, places)], capture_output=True, check=False, timeout=300
    )
    assert done.returncode in {0, 1}, done.stderr
    hits = (line.decode(errors="replace").rsplit(":", 2) for line in done.stdout.splitlines())
    return sorted(
        {f"{file}: {needle}" for file, offset, needle in hits if _stands_alone(Path(file), int(offset), needle)}
    )


def _stands_alone(file: Path, offset: int, needle: str) -> bool:
    """Whether eleven digits are a number of their own, and not a part of a longer one, such as nanoseconds."""
    if not needle.isdigit():
        return True
    with file.open("rb") as stream:
        stream.seek(max(offset - 1, 0))
        around = stream.read(len(needle) + (2 if offset else 1))
    before, after = around[:1] if offset else b"", around[len(needle) + (1 if offset else 0) :]
    return not (before.isdigit() or after.isdigit())


def collect(layout: Layout, folder: Path) -> list[Path]:
    """All that the platform leaves behind but what is meant to hold secrets: logs, state, objects, metrics."""
    for name, text in _told():
        (folder / name).write_text(text)
    return [folder, layout.logs, layout.pulumi_state, *layout.data.glob("hydra.sqlite*")]


def _told() -> Iterator[tuple[str, str]]:
    yield "objects.json", _objects()
    yield "secrets-without-data.json", json.dumps(_secrets_without_data())
    yield "api-server.metrics", kubectl("get", "--raw", "/metrics").stdout
    yield "pulumi-state.json", pulumi("stack", "export").stdout
    for name, port, path in (
        ("operator.metrics", OPERATOR_PROBE, "/metrics"),
        ("operator.health", OPERATOR_PROBE, "/healthz"),
        ("envoy-gateway.metrics", GATEWAY_METRICS, "/metrics"),
        ("envoy.metrics", ENVOY_ADMIN, "/stats/prometheus"),
        ("envoy-clusters", ENVOY_ADMIN, "/clusters"),
        ("envoy-configuration", ENVOY_ADMIN, "/config_dump?include_eds"),
    ):
        answer = request("GET", port, path)
        assert answer.status == 200, name
        yield name, answer.body.decode(errors="replace")


def _objects() -> str:
    """Every object of every kind that can be listed, with who wrote what, but for Secrets."""
    listed = kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
    kinds = ",".join(kind for kind in listed if kind not in {"secrets", "componentstatuses"})
    return kubectl("get", kinds, "-A", "-o", "json", "--show-managed-fields").stdout


def _secrets_without_data() -> list[Manifest]:
    items: list[dict[str, Any]] = json.loads(kubectl("get", "secrets", "-A", "-o", "json").stdout)["items"]
    return [{name: value for name, value in item.items() if name != "data"} for item in items]
