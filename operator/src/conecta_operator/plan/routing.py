"""Which rules the route of an API has, in the order that they keep for life: counters carry a rule's index."""

from collections.abc import Mapping
from typing import Any, Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import BACKEND
from conecta_operator.plan.backends import target_of
from conecta_operator.render.contexts import RouteRule

__all__ = ["rules_of"]

_FOR_THE_GATEWAY: Final = ("x-conecta-repeated", "x-conecta-scope")
"""Headers by which filters of the gateway tell each other, and nobody else, what they found."""


def rules_of(api: ConectaApi) -> tuple[RouteRule, ...]:
    """Calls go to the backend, the base path replaced by the backend's own path."""
    service = api.spec.backend.service
    if service is not None:
        target = {"group": "", "kind": "Service", "name": service.name, "port": service.port}
        rewrite: Mapping[str, Any] = {"path": _replaced_by("/")}
    else:
        url = target_of(api.spec.backend.url or "")
        target = {"group": BACKEND.group, "kind": BACKEND.name, "name": api.metadata.name, "port": url.port}
        rewrite = {"hostname": url.hostname, "path": _replaced_by(url.path or "/")}
    return (
        RouteRule(
            name="call",
            matches=({"path": {"type": "PathPrefix", "value": api.base_path}},),
            filters=(
                {"type": "URLRewrite", "urlRewrite": rewrite},
                {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(_FOR_THE_GATEWAY)}},
            ),
            backend_refs=({**target, "weight": 1},),
        ),
    )


def _replaced_by(path: str) -> dict[str, str]:
    return {"type": "ReplacePrefixMatch", "replacePrefixMatch": path}
