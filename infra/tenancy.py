"""The agencies: their namespaces, and who may do what in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.layer import Layer
from infra.settings import AgencySettings

__all__ = ["Tenancy", "TenancyArgs"]

ROLES: Final = {"providers": "conecta-provider", "receivers": "conecta-receiver"}
"""Group of people in an agency → ClusterRole of the operator's chart that they have in its namespaces."""


@dataclass(frozen=True, kw_only=True)
class TenancyArgs:
    """`protect` is for the namespaces."""

    agencies: Mapping[str, AgencySettings]
    protect: bool


class Tenancy(Layer):
    """Namespaces which say whose they are, with the roles of `ROLES` bound to `conecta:<agency>:<group>`."""

    def __init__(self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:tenancy:Tenancy", name, None, opts)
        for slug, agency in args.agencies.items():
            for namespace in agency.namespaces:
                self._tenant(namespace, slug, agency, protect=args.protect)
        self.register_outputs({})

    def _tenant(self, namespace: str, slug: str, agency: AgencySettings, *, protect: bool) -> None:
        home = self._namespace(
            namespace,
            namespace,
            protect=protect,
            labels={names.AGENCY: slug, names.AGENCY_CNPJ: agency.cnpj, names.AGENCY_SIORG: agency.siorg},
            annotations={names.AGENCY_NAME: agency.name},
        )
        for group, role in ROLES.items():
            k8s.rbac.v1.RoleBinding(
                f"{namespace}-{group}",
                metadata={"name": f"conecta-{group}", "namespace": home.metadata["name"]},
                role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                subjects=[
                    {
                        "api_group": "rbac.authorization.k8s.io",
                        "kind": "Group",
                        "name": f"conecta:{slug}:{group}",
                    }
                ],
                opts=self._child(),
            )
