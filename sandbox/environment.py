"""What a shell, or a program that we start, has to know to use the sandbox: one table, and the file that says it."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from sandbox.layout import Layout
from sandbox.pki import write_private
from sandbox.ports import GATEWAY
from sandbox.processes import base_environment

__all__ = [
    "GATEWAY_URL", "program_environment", "pulumi_backend", "shell_script", "variables", "write_environment_file",
]  # fmt: skip

GATEWAY_URL = f"https://localhost:{GATEWAY}"


def pulumi_backend(folder: Path) -> str:
    """Return the URL of a state that can be read whenever the CLI is killed.

    Each file of the state is replaced by renaming; its `.attrs`, which nobody needs, would be written in place.
    """
    return f"file://{folder}?metadata=skip"


def variables(layout: Layout) -> dict[str, str]:
    """Return what `.sandbox/env` exports, apart from PATH."""
    return {
        "KUBECONFIG": str(layout.kubeconfig),
        "KUBECACHEDIR": str(layout.run / "kubectl-cache"),
        "CONECTA_GATEWAY_URL": GATEWAY_URL,
        "CONECTA_CA": str(layout.ca_file),
        "PULUMI_BACKEND_URL": pulumi_backend(layout.pulumi_state),
        "PULUMI_HOME": str(layout.pulumi_home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(layout.pulumi_passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "GRPC_ENABLE_FORK_SUPPORT": "0",  # else a Python that starts a program amid gRPC calls may crash, seldom
        "HELM_CACHE_HOME": str(layout.run / "helm" / "cache"),
        "HELM_CONFIG_HOME": str(layout.run / "helm" / "config"),
        "HELM_DATA_HOME": str(layout.run / "helm" / "data"),
    }


def program_environment(layout: Layout) -> dict[str, str]:
    """Return the whole environment of a program that works on the sandbox."""
    inherited = base_environment()
    path = os.pathsep.join([str(layout.bin), *filter(None, [inherited.get("PATH")])])
    return inherited | variables(layout) | {"PATH": path}


def shell_script(exported: Mapping[str, str], folder: Path) -> str:
    """Return a script for any POSIX shell; sourced twice it does no more than once."""
    quoted = shlex.quote(str(folder))
    lines = [
        "# Source this file to use the sandbox: . .sandbox/env",
        *(f"export {name}={shlex.quote(value)}" for name, value in exported.items()),
        f'case ":$PATH:" in *:{quoted}:*) ;; *) export PATH={quoted}:"$PATH" ;; esac',
    ]
    return "\n".join(lines) + "\n"


def write_environment_file(layout: Layout) -> None:
    """Write `.sandbox/env`."""
    write_private(layout.environment_file, shell_script(variables(layout), layout.bin))
