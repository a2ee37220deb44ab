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

RBAC: Final = "rbac.authorization.k8s.io"
ROLES: Final = {"providers": "conecta-provider", "receivers": "conecta-receiver"}
"""Group of people in an agency → ClusterRole of the operator's chart that they have in its namespaces."""
APPROVERS: Final = "providers"
"""The group that decides over grants, which lie in namespaces of other agencies: hence its role in all of them."""


@dataclass(frozen=True, kw_only=True)
class TenancyArgs:
    """`protect` is for the namespaces."""

    agencies: Mapping[str, AgencySettings]
    protect: bool


class Tenancy(Layer):
    """Namespaces which say whose they are, with the roles of `ROLES` bound to `conecta:<agency>:<group>`.

    Who answers for APIs has the role `conecta-approver` everywhere; the chart's admission policy says for which grants.
    """

    def __init__(self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:tenancy:Tenancy", name, None, opts)
        for slug, agency in args.agencies.items():
            for namespace in agency.namespaces:
                self._tenant(namespace, slug, agency, protect=args.protect)
            self._approvers(slug)
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
                role_ref=_cluster_role(role),
                subjects=[_group(slug, group)],
                opts=self._child(),
            )

    def _approvers(self, slug: str) -> None:
        k8s.rbac.v1.ClusterRoleBinding(
            f"{slug}-approvers",
            metadata={"name": f"conecta-{slug}-approvers"},
            role_ref=_cluster_role("conecta-approver"),
            subjects=[_group(slug, APPROVERS)],
            opts=self._child(),
        )


def _cluster_role(name: str) -> k8s.rbac.v1.RoleRefArgs:
    return k8s.rbac.v1.RoleRefArgs(api_group=RBAC, kind="ClusterRole", name=name)


def _group(slug: str, group: str) -> k8s.rbac.v1.SubjectArgs:
    return k8s.rbac.v1.SubjectArgs(api_group=RBAC, kind="Group", name=f"conecta:{slug}:{group}")
