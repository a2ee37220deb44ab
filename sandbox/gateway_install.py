"""What Envoy Gateway's own chart installs in production (CRDs, rights, certificates), and its settings here."""

import base64
import hashlib
import json
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.commands import Commands
from sandbox.layout import Layout
from sandbox.pki import write_private
from sandbox.ports import GATEWAY_ADMIN

__all__ = [
    "ACCOUNT",
    "INFRA_SOCKET_PLACE",
    "NAMESPACE",
    "configuration",
    "ensure_certificates",
    "ensure_definitions",
    "ensure_rights",
    "rights",
    "write_configuration",
]

NAMESPACE: Final = "envoy-gateway-system"
ACCOUNT: Final = "envoy-gateway"
INFRA_SOCKET_PLACE: Final = "/infra/provider.sock"
"""Where Envoy Gateway sees the provider's socket in its own root: never longer than a socket's path may be."""
RIGHTS: Final = frozenset({"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
CERTIFICATE_SECRETS: Final = ("envoy-gateway", "envoy")
INFRA_ROLE: Final = "conecta-gateway-infra"


def configuration() -> dict[str, Any]:
    """Return Envoy Gateway's settings: the cluster's API as its source, our provider for its infrastructure."""
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        "provider": {
            "type": "Custom",
            "custom": {
                "resource": {"type": "Kubernetes", "kubernetes": {"leaderElection": {"disable": True}}},
                "infrastructure": {"type": "Remote", "remote": {"service": {"unix": {"path": INFRA_SOCKET_PLACE}}}},
            },
        },
        "extensionApis": {"enableBackend": True, "enableEnvoyPatchPolicy": True, "enableLua": True},
        "admin": {"address": {"host": "127.0.0.1", "port": GATEWAY_ADMIN}},
    }


def write_configuration(layout: Layout) -> None:
    """Write the settings if they differ: Envoy Gateway watches the file, and reloads itself on every write."""
    file = layout.run / "envoy-gateway.yaml"
    content = yaml.safe_dump(configuration(), sort_keys=False)
    if not file.exists() or file.read_text(encoding="utf-8") != content:
        file.write_text(content, encoding="utf-8")


def ensure_definitions(layout: Layout, commands: Commands, chart: Path) -> bool:
    """Apply the CRDs of Gateway API and Envoy Gateway unless these very ones have been applied and are all there."""
    files = sorted((chart / "charts" / "crds" / "crds").rglob("*.yaml"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    marker = layout.run / "gateway-definitions"
    names = _definition_names(files, marker, digest)
    if (
        marker.exists()
        and json.loads(marker.read_text(encoding="utf-8"))["digest"] == digest
        and _exist(commands, names)
    ):
        return False
    commands.kubectl("apply", "--server-side", "--force-conflicts", *(f"--filename={file}" for file in files))
    commands.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    marker.write_text(json.dumps({"digest": digest, "names": names}), encoding="utf-8")
    return True


def ensure_rights(commands: Commands, chart: Path, scratch: Path) -> None:
    """Apply the chart's service account and roles, and the role of our infrastructure provider."""
    values = scratch / "gateway-helm-values.yaml"
    template = string.Template((chart / "values.tmpl.yaml").read_text(encoding="utf-8"))
    image = {"GatewayImage": "docker.io/envoyproxy/gateway:none", "GatewayImagePullPolicy": "IfNotPresent"}
    values.write_text(template.substitute(image), encoding="utf-8")
    rendered = commands.run(
        "helm", "template", "eg", chart, "--namespace", NAMESPACE, "--values", values, "--set", "crds.enabled=false"
    )
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    objects = [namespace, *rights(yaml.safe_load_all(rendered)), *_infra_rights()]
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    commands.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", standard_input=content)


def rights(documents: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """Return who may do what among a chart's objects, without hooks: the rest runs as processes here."""
    return [
        document
        for document in documents
        if document
        and document["kind"] in RIGHTS
        and "helm.sh/hook" not in (document["metadata"].get("annotations") or {})
    ]


def ensure_certificates(layout: Layout, commands: Commands) -> None:
    """Have Envoy Gateway make its certificates, as in production, and write them where it and Envoy read them."""
    commands.run("envoy-gateway", "certgen", "--disable-topology-injector", log=layout.log("envoy-gateway-certgen"))
    for name in CERTIFICATE_SECRETS:
        secret = json.loads(commands.kubectl("get", "secret", name, "--namespace", NAMESPACE, "--output=json"))
        folder = layout.gateway_certificates / name
        folder.mkdir(exist_ok=True)
        for key in ("ca.crt", "tls.crt", "tls.key"):
            content = base64.b64decode(secret["data"][key])
            file = folder / key
            if not file.exists() or file.read_bytes() != content:
                write_private(file, content)


def _definition_names(files: list[Path], marker: Path, digest: str) -> list[str]:
    """Return the CRDs in these files; from the marker when it is theirs, for the files take seconds to parse."""
    if marker.exists():
        known = json.loads(marker.read_text(encoding="utf-8"))
        if known["digest"] == digest:
            return list(known["names"])
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = (document for file in files for document in yaml.load_all(file.read_bytes(), loader) if document)
    return [
        f"customresourcedefinition/{document['metadata']['name']}"
        for document in documents
        if document["kind"] == "CustomResourceDefinition"
    ]


def _exist(commands: Commands, names: list[str]) -> bool:
    table = commands.kubectl("get", "customresourcedefinitions", "--no-headers")
    return set(names) <= {f"customresourcedefinition/{line.split()[0]}" for line in table.splitlines()}


def _infra_rights() -> list[dict[str, Any]]:
    metadata = {"name": INFRA_ROLE, "namespace": NAMESPACE}
    verbs = ["get", "create", "update", "patch", "delete"]
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [
                {"apiGroups": [""], "resources": ["services"], "verbs": verbs},
                {"apiGroups": [""], "resources": ["services/status"], "verbs": ["get", "patch"]},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": INFRA_ROLE},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "conecta-gateway-infra"}],
        },
    ]
