"""The agencies: their namespaces, how much these may hold, and who may do what in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.layer import POD_SECURITY, Layer
from infra.network import nobody_in
from infra.settings import AgencySettings, LimitSettings

__all__ = ["Tenancy", "TenancyArgs", "container_limits", "quota"]

RBAC: Final = "rbac.authorization.k8s.io"
ROLES: Final = {"providers": "conecta-provider", "receivers": "conecta-receiver"}
"""Group of people in an agency → ClusterRole of the operator's chart that they have in its namespaces."""
APPROVERS: Final = "providers"
"""The group that decides over grants, which lie in namespaces of other agencies: hence its role in all of them."""
PERSONAS: Final = {"platform": "conecta-platform", "auditors": "conecta-auditor"}
"""Group of people of no agency → ClusterRole that they have everywhere."""


@dataclass(frozen=True, kw_only=True)
class TenancyArgs:
    """`protect` is for the namespaces."""

    agencies: Mapping[str, AgencySettings]
    limits: LimitSettings
    protect: bool


class Tenancy(Layer):
    """Namespaces which say whose they are, with the roles of `ROLES` bound to `conecta:<agency>:<group>`.

    Nobody reaches a pod there, but as policies of the operator say.

    Who answers for APIs has the role `conecta-approver` everywhere; the chart's admission policy says for which grants.
    """

    def __init__(self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:tenancy:Tenancy", name, None, opts)
        for slug, agency in args.agencies.items():
            for namespace in agency.namespaces:
                home = self._tenant(namespace, slug, agency, protect=args.protect)
                self._limits(namespace, home, args.limits.but(agency.limits))
            self._everywhere(f"{slug}-approvers", "conecta-approver", _group(f"{slug}:{APPROVERS}"))
        for group, role in PERSONAS.items():
            self._everywhere(group, role, _group(group))
        self.register_outputs({})

    def _tenant(self, namespace: str, slug: str, agency: AgencySettings, *, protect: bool) -> pulumi.Output[str]:
        home = self._namespace(
            namespace,
            namespace,
            protect=protect,
            labels={
                names.AGENCY: slug,
                names.AGENCY_CNPJ: agency.cnpj,
                names.AGENCY_SIORG: agency.siorg,
                **POD_SECURITY,
            },
            annotations={names.AGENCY_NAME: agency.name},
        )
        name: pulumi.Output[str] = home.metadata["name"]
        closed = nobody_in(namespace)
        k8s.networking.v1.NetworkPolicy(
            f"{namespace}-{closed.name}",
            metadata={"name": closed.name, "namespace": name},
            spec=closed.spec,
            opts=self._child(),
        )
        for group, role in ROLES.items():
            subject = _group(f"{slug}:{group}")
            self._within(name, f"{namespace}-{group}", name=f"conecta-{group}", role=role, subject=subject)
        watching, subject = names.OPERATOR_SECRETS, _operator()
        self._within(name, f"{namespace}-operator", name=names.OPERATOR, role=watching, subject=subject)
        return name

    def _limits(self, namespace: str, home: pulumi.Output[str], limits: LimitSettings) -> None:
        k8s.core.v1.ResourceQuota(
            f"{namespace}-quota",
            metadata={"name": "conecta", "namespace": home},
            spec={"hard": quota(limits)},
            opts=self._child(),
        )
        k8s.core.v1.LimitRange(
            f"{namespace}-limits",
            metadata={"name": "conecta", "namespace": home},
            spec={"limits": [container_limits(limits)]},
            opts=self._child(),
        )

    def _within(
        self,
        namespace: pulumi.Output[str],
        logical_name: str,
        *,
        name: str,
        role: str,
        subject: k8s.rbac.v1.SubjectArgs,
    ) -> None:
        k8s.rbac.v1.RoleBinding(
            logical_name,
            metadata={"name": name, "namespace": namespace},
            role_ref=_cluster_role(role),
            subjects=[subject],
            opts=self._child(),
        )

    def _everywhere(self, name: str, role: str, group: k8s.rbac.v1.SubjectArgs) -> None:
        k8s.rbac.v1.ClusterRoleBinding(
            name,
            metadata={"name": f"conecta-{name}"},
            role_ref=_cluster_role(role),
            subjects=[group],
            opts=self._child(),
        )


def quota(limits: LimitSettings) -> dict[str, str]:
    """What a ResourceQuota calls it. Nothing that the operator writes is counted."""
    return {
        "count/conectaapis.conecta.gov.br": f"{limits.apis}",
        "count/conectagrants.conecta.gov.br": f"{limits.grants}",
        "pods": f"{limits.pods}",
        "requests.cpu": f"{limits.cpu}",
        "requests.memory": limits.memory,
        "limits.memory": limits.memory,
        "services.loadbalancers": f"{limits.load_balancers}",
        "services.nodeports": f"{limits.load_balancers}",
    }


def container_limits(limits: LimitSettings) -> k8s.core.v1.LimitRangeItemArgsDict:
    """What a container has that doesn't say; a quota would else refuse its pod. Memory isn't promised twice."""
    return {
        "type": "Container",
        "default_request": {"cpu": limits.container_cpu, "memory": limits.container_memory},
        "default": {"memory": limits.container_memory},
    }


def _cluster_role(name: str) -> k8s.rbac.v1.RoleRefArgs:
    return k8s.rbac.v1.RoleRefArgs(api_group=RBAC, kind="ClusterRole", name=name)


def _group(name: str) -> k8s.rbac.v1.SubjectArgs:
    return k8s.rbac.v1.SubjectArgs(api_group=RBAC, kind="Group", name=f"conecta:{name}")


def _operator() -> k8s.rbac.v1.SubjectArgs:
    return k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=names.OPERATOR, namespace=names.SYSTEM_NAMESPACE)
