"""What identifies a Kubernetes object, and the kinds that the operator reads or writes."""

from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

__all__ = [
    "BACKEND",
    "BACKEND_TLS_POLICY",
    "BACKEND_TRAFFIC_POLICY",
    "CONECTA_API",
    "CONECTA_GRANT",
    "CONFIG_MAP",
    "ENDPOINT_SLICE",
    "GROUP",
    "HTTP_ROUTE",
    "HTTP_ROUTE_FILTER",
    "MANAGED_BY",
    "NAMESPACE",
    "NETWORK_POLICY",
    "SECRET",
    "SECURITY_POLICY",
    "SERVICE",
    "Kind",
    "Manifest",
    "ObjectKey",
    "key_of",
]

Manifest = dict[str, Any]
"""A Kubernetes object as plain JSON."""

GROUP: Final = "conecta.gov.br"
MANAGED_BY: Final = "conecta-operator"
"""Value of the label app.kubernetes.io/managed-by on all that the operator writes, and its field manager."""


@dataclass(frozen=True, order=True)
class Kind:
    """One kind of object at one version. `group` is empty for the core API."""

    group: str
    version: str
    plural: str
    name: str

    @property
    def api_version(self) -> str:
        """The `apiVersion` of a manifest of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @override
    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, order=True)
class ObjectKey:
    """One object. `namespace` is empty for cluster-scoped kinds."""

    kind: Kind
    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


CONECTA_API: Final = Kind(GROUP, "v1alpha1", "conectaapis", "ConectaApi")
CONECTA_GRANT: Final = Kind(GROUP, "v1alpha1", "conectagrants", "ConectaGrant")
HTTP_ROUTE: Final = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
BACKEND_TLS_POLICY: Final = Kind("gateway.networking.k8s.io", "v1", "backendtlspolicies", "BackendTLSPolicy")
SECURITY_POLICY: Final = Kind("gateway.envoyproxy.io", "v1alpha1", "securitypolicies", "SecurityPolicy")
HTTP_ROUTE_FILTER: Final = Kind("gateway.envoyproxy.io", "v1alpha1", "httproutefilters", "HTTPRouteFilter")
BACKEND_TRAFFIC_POLICY: Final = Kind(
    "gateway.envoyproxy.io", "v1alpha1", "backendtrafficpolicies", "BackendTrafficPolicy"
)
BACKEND: Final = Kind("gateway.envoyproxy.io", "v1alpha1", "backends", "Backend")
ENDPOINT_SLICE: Final = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
SECRET: Final = Kind("", "v1", "secrets", "Secret")
CONFIG_MAP: Final = Kind("", "v1", "configmaps", "ConfigMap")
SERVICE: Final = Kind("", "v1", "services", "Service")
NAMESPACE: Final = Kind("", "v1", "namespaces", "Namespace")
ROLE_BINDING: Final = Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
NETWORK_POLICY: Final = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")

_BY_API_VERSION_AND_NAME: Final = {
    (kind.api_version, kind.name): kind
    for kind in (
        CONECTA_API,
        CONECTA_GRANT,
        HTTP_ROUTE,
        HTTP_ROUTE_FILTER,
        BACKEND_TLS_POLICY,
        SECURITY_POLICY,
        BACKEND_TRAFFIC_POLICY,
        BACKEND,
        SECRET,
        CONFIG_MAP,
        ENDPOINT_SLICE,
        SERVICE,
        NAMESPACE,
        NETWORK_POLICY,
    )
}


def key_of(manifest: Manifest) -> ObjectKey:
    """The key of a manifest of one of the kinds above.

    Raises KeyError for a kind that the operator doesn't know or a manifest without a name.
    """
    metadata = manifest["metadata"]
    kind = _BY_API_VERSION_AND_NAME[manifest["apiVersion"], manifest["kind"]]
    return ObjectKey(kind, metadata.get("namespace", ""), metadata["name"])
