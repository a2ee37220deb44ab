"""The provisioning: a real `pulumi up` of the stack `sandbox`, with its state in the sandbox's folder."""

import json
from pathlib import Path
from typing import Final

import psutil

from sandbox.commands import Commands
from sandbox.layout import Layout
from sandbox.pki import write_private

__all__ = ["prepare", "provision"]

STACK: Final = "sandbox"
PASSPHRASE: Final = "conecta-sandbox"  # noqa: S105 - protects nothing: the stack's settings hold no secret
"""Fixed, because it belongs to the `encryptionsalt` in the repository's `environments/Pulumi.sandbox.yaml`."""


def prepare(layout: Layout, commands: Commands) -> None:
    """Make the stack ready to be used, by us and by whoever sources `.sandbox/env`."""
    write_private(layout.pulumi_passphrase, PASSPHRASE)
    commands.run("pulumi", "stack", "select", STACK, "--create", "--non-interactive")
    if _has_stale_lock(layout):
        commands.run("pulumi", "cancel", "--stack", STACK, "--yes", "--non-interactive")


def provision(layout: Layout, commands: Commands, *, settings: Path | None = None) -> str:
    """Run `pulumi up`, by other settings than the stack's own if any are given; return what it changed, as it says."""
    other = () if settings is None else ("--config-file", settings)
    output = commands.run(
        "pulumi", "up", "--stack", STACK, "--yes", "--skip-preview", "--non-interactive", "--color", "never", *other,
        time_limit=600,
        log=layout.log("pulumi"),
    )  # fmt: skip
    _, _, summary = output.partition("Resources:")
    return ", ".join(line.strip() for line in summary.partition("Duration:")[0].splitlines() if line.strip())


def _has_stale_lock(layout: Layout) -> bool:
    """Return whether the stack is locked by a pulumi that is no more, because somebody has killed it."""
    for file in (layout.pulumi_state / ".pulumi" / "locks").rglob("*.json"):
        pid = json.loads(file.read_text(encoding="utf-8"))["pid"]
        if not psutil.pid_exists(pid) or "pulumi" not in psutil.Process(pid).name():
            return True
    return False
