"""Which rules the route of an API has, in the order that they keep for life: counters carry a rule's index."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from conecta_operator.api import durations
from conecta_operator.api.backend import Backend
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import BACKEND, HTTP_ROUTE_FILTER
from conecta_operator.plan import naming
from conecta_operator.plan.backends import target_of
from conecta_operator.plan.notices import notices_of
from conecta_operator.plan.refusals import guarded
from conecta_operator.render.contexts import RouteRule

__all__ = ["backends_by_prefix", "calls_of", "rules_of"]

Part = Mapping[str, Any]

_FOR_THE_GATEWAY: Final = ("x-conecta-malformed", "x-conecta-repeated", "x-conecta-scope")
"""Headers by which filters of the gateway tell each other, and nobody else, what they found."""


def rules_of(api: ConectaApi, now: datetime) -> tuple[RouteRule, ...]:
    """The rules for calls, then those for what the gateway refuses of them by itself."""
    return guarded(api, calls_of(api), notices_of(api, now))


def calls_of(api: ConectaApi) -> tuple[RouteRule, ...]:
    """One rule for each path prefix, the default one first: the gateway itself lets the longest prefix that fits win.

    The base path is replaced by the backend's own path. The prefix stays, so that moving paths from one backend to
    another changes nothing for either.
    """
    return tuple(_rule(api, prefix, backends) for prefix, backends in backends_by_prefix(api).items())


def backends_by_prefix(api: ConectaApi) -> dict[str, list[Backend]]:
    """The backends that share the calls of each path prefix, the default prefix first.

    Without those that get no calls: of these the gateway would say nothing, not even that it has seen them.
    """
    found: dict[str, list[Backend]] = {}
    for placed in api.placed_backends:
        if placed.backend.weight > 0:
            found.setdefault(placed.prefix, []).append(placed.backend)
    return found


def _rule(api: ConectaApi, prefix: str, backends: Sequence[Backend]) -> RouteRule:
    below = prefix.removesuffix("/")
    hosts = {_hostname(backend) for backend in backends}
    host = hosts.pop() if len(hosts) == 1 else None
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": f"{_path(backends[0])}{below}" or "/"}}
    refs = (_ref(api, backend, rewrites_host=host is None) for backend in backends)
    return RouteRule(
        name=naming.rule_name(prefix),
        matches=({"path": {"type": "PathPrefix", "value": f"{api.base_path}{below}"}},),
        filters=(
            _url_rewrite({"hostname": host, **rewrite} if host else rewrite),
            {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(_FOR_THE_GATEWAY)}},
        ),
        backend_refs=tuple(refs),
        timeouts={"request": max((backend.timeout for backend in backends), key=durations.parse)},
    )


def _ref(api: ConectaApi, backend: Backend, *, rewrites_host: bool) -> Part:
    """One backend with its weight. Where the backends of a rule have several hosts, each gets its own by itself."""
    if backend.service is not None:
        target: Part = {"group": "", "kind": "Service", "name": backend.service.name, "port": backend.service.port}
    else:
        name, port = naming.backend_name(api, backend), target_of(backend.url or "").port
        target = {"group": BACKEND.group, "kind": BACKEND.name, "name": name, "port": port}
    host = _hostname(backend) if rewrites_host else None
    filters = (*((_url_rewrite({"hostname": host}),) if host else ()), *_credentials(api, backend))
    return {**target, "weight": backend.weight, **({"filters": filters} if filters else {})}


def _credentials(api: ConectaApi, backend: Backend) -> Iterator[Part]:
    """Here and not at the rule: the filters of a rule are the listener's, and each new one would be felt by all."""
    for header in backend.headers_from_secret:
        reference = {"group": HTTP_ROUTE_FILTER.group, "kind": HTTP_ROUTE_FILTER.name}
        yield {"type": "ExtensionRef", "extensionRef": {**reference, "name": naming.credential_name(api, header)}}


def _hostname(backend: Backend) -> str | None:
    return target_of(backend.url).hostname if backend.url is not None else None


def _path(backend: Backend) -> str:
    return target_of(backend.url).path if backend.url is not None else ""


def _url_rewrite(rewrite: Part) -> Part:
    return {"type": "URLRewrite", "urlRewrite": rewrite}
