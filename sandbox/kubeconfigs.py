"""Files by which programs reach the API server, each as somebody of its own."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.commands import CommandFailed, Commands
from sandbox.layout import Layout
from sandbox.pki import Authority, Certificate, write_private
from sandbox.ports import APISERVER

__all__ = ["bootstrap_kubeconfig", "ensure_service_account_kubeconfig", "write_certificate_kubeconfigs"]

BOOTSTRAP: Final = Certificate(name="bootstrap", common_name="bootstrap", organization="system:masters", client=True)
TOKEN_LIFETIME: Final = "8760h"  # noqa: S105 - a duration


def write_certificate_kubeconfigs(layout: Layout) -> None:
    """Write the files of those who have a client certificate."""
    for file, name in (
        (layout.kubeconfig, "admin"),
        (layout.service_kubeconfig("kube-controller-manager"), "kcm"),
        (layout.service_kubeconfig("gateway-infra"), "gateway-infra"),
    ):
        _write(
            file,
            layout,
            name,
            {"client-certificate": str(layout.certificate(name)), "client-key": str(layout.key(name))},
        )


def bootstrap_kubeconfig(layout: Layout) -> Path:
    """Write the file of somebody whom RBAC doesn't bind, for ten minutes; whoever calls removes it after use."""
    now = datetime.now(UTC)
    certificate, key = Authority.ensure(layout, now).issue(BOOTSTRAP, now, timedelta(minutes=10))
    file = layout.service_kubeconfig("bootstrap")
    user = {
        "client-certificate-data": base64.b64encode(certificate).decode(),
        "client-key-data": base64.b64encode(key).decode(),
    }
    _write(file, layout, "bootstrap", user)
    return file


def ensure_service_account_kubeconfig(
    layout: Layout, commands: Commands, service: str, namespace: str, account: str
) -> bool:
    """Write the file of a service account with a new token, unless it has one that works; return whether it is new."""
    file = layout.service_kubeconfig(service)
    if file.exists() and _works(commands, file):
        return False
    token = commands.kubectl("create", "token", account, "--namespace", namespace, "--duration", TOKEN_LIFETIME)
    _write(file, layout, account, {"token": token.strip()})
    return True


def _works(commands: Commands, file: Path) -> bool:
    try:
        commands.kubectl("--kubeconfig", file, "auth", "whoami")
    except CommandFailed:
        return False
    return True


def _write(file: Path, layout: Layout, user: str, credentials: dict[str, Any]) -> None:
    cluster = {"server": f"https://127.0.0.1:{APISERVER}", "certificate-authority": str(layout.ca_file)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "conecta-sandbox", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "conecta-sandbox", "context": {"cluster": "conecta-sandbox", "user": user}}],
        "current-context": "conecta-sandbox",
    }
    content = yaml.safe_dump(document, sort_keys=False)
    if not file.exists() or file.read_text(encoding="utf-8") != content:
        write_private(file, content)
