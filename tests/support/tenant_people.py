"""People of two agencies with certificates of their own, one of them with more rights than Conecta gives."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.kubectl import apply, eventually, kubectl
from tests.support.users import CertifiedUser, certified

__all__ = ["TenantPeople", "tenant_people"]

TenantPeople = Mapping[str, CertifiedUser]
RBAC: Final = "rbac.authorization.k8s.io"
GROUPS: Final = {
    "ana": "conecta:receita:providers",
    "bia": "conecta:saude:providers",
    "rui": "conecta:saude:receivers",
    "eva": "conecta:saude:receivers",
}
OWN: Final = "saude"
"""The namespace in which Eva has the cluster's role `admin`."""
MORE: Final[list[Manifest]] = [
    {
        "apiGroups": ["gateway.networking.k8s.io", "gateway.envoyproxy.io", "networking.k8s.io"],
        "resources": ["*"],
        "verbs": ["*"],
    },
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["endpoints"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "update", "patch"]},
]
"""What an unwary cluster might give her besides."""


@contextmanager
def tenant_people(layout: Layout, folder: Path) -> Iterator[TenantPeople]:
    """Ana, Bia, Rui and Eva (who they are: `tenant_rows`), while this lasts."""
    people = {
        name: certified(layout, folder, f"{name}@{group.split(':')[1]}.example", group)
        for name, group in GROUPS.items()
    }
    eva = people["eva"]
    manifests = _more_rights(eva.name)
    apply(*manifests)
    try:
        eventually(lambda: eva.kubectl("auth", "can-i", "create", "httproutes", "-n", OWN).stdout == "yes\n")
        yield people
    finally:
        for manifest in reversed(manifests):
            kubectl("delete", manifest["kind"].lower(), manifest["metadata"]["name"], "-n", OWN)


def _more_rights(user: str) -> list[Manifest]:
    name = f"powerful-{secrets.token_hex(3)}"
    version, metadata = f"{RBAC}/v1", {"namespace": OWN, "name": name}
    bindings = [
        {
            "apiVersion": version,
            "kind": "RoleBinding",
            "metadata": metadata | {"name": f"{name}-{kind.lower()}"},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
        }
        for kind, role in (("Role", name), ("ClusterRole", "admin"))
    ]
    return [{"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": MORE}, *bindings]
