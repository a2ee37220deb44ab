"""Objects for the contract suite: of kinds that no controller of the platform touches."""

from typing import Any

from conecta_operator.api.objects import CONFIG_MAP, HTTP_ROUTE, SERVICE, Kind, Manifest

__all__ = ["config_map", "http_route", "route_status", "service"]


def config_map(namespace: str, name: str, *, data: dict[str, str] | None = None, **metadata: Any) -> Manifest:
    """A kind without status and generation."""
    return _manifest(CONFIG_MAP, namespace, name, metadata) | {"data": data or {"colour": "blue"}}


def http_route(namespace: str, name: str, *, hostname: str = "one.example", **metadata: Any) -> Manifest:
    """A custom resource with status and generation, attached to no gateway."""
    rules = [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]
    return _manifest(HTTP_ROUTE, namespace, name, metadata) | {"spec": {"hostnames": [hostname], "rules": rules}}


def route_status(controller: str = "example.org/nobody") -> Manifest:
    """A status that a route can have."""
    reference = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "none"}
    condition = {
        "type": "Accepted",
        "status": "False",
        "reason": "NoMatchingParent",
        "message": "",
        "lastTransitionTime": "2026-11-24T07:00:00Z",
    }
    return {"parents": [{"parentRef": reference, "controllerName": controller, "conditions": [condition]}]}


def service(namespace: str, name: str) -> Manifest:
    """A kind with more than one field of status."""
    spec = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{"port": 80}]}
    return _manifest(SERVICE, namespace, name, {}) | {"spec": spec}


def _manifest(kind: Kind, namespace: str, name: str, metadata: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"namespace": namespace, "name": name, **metadata},
    }
