"""Refusals of the gateway's own: problem details for all that Envoy answers by itself, and the limits of calls.

Envoy Gateway has no kind for either that would not come and go with the policies of single APIs, hence patches of the
listener. Answers of backends and of the issuer are theirs, and pass as they are.
"""

from collections.abc import Iterator
from typing import Any, Final

from infra import names
from infra.problems import MEDIA_TYPE, PROBLEMS, Problem, members
from infra.rates import rate_filters

__all__ = ["MANAGER", "listener_patches", "patch"]

_LISTENER: Final = f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}/{names.LISTENER}"
MANAGER: Final = "$..filters[?(@.name=='envoy.filters.network.http_connection_manager')].typed_config"
"""Where the listener says how HTTP is spoken."""
_ROUTER: Final = "$..http_filters[?(@.name=='envoy.filters.http.router')]"


def listener_patches(*, url: str, max_body_bytes: int, counts_together: bool) -> list[dict[str, Any]]:
    """Patches by which the gateway speaks of problems as those of `url`, counts calls, and takes no long body.

    Who calls has been verified before. A body is read to its end before the backend hears of the call: no filter but
    the router comes later.
    """
    buffer = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer"
    limit = {
        "name": "conecta.body-limit",
        "typed_config": {"@type": buffer, "max_request_bytes": max_body_bytes},
    }
    return [
        patch({"op": "add", "jsonPath": MANAGER, "path": "local_reply_config", "value": {"mappers": mappers(url)}}),
        *(
            patch({"op": "add", "jsonPath": _ROUTER, "value": added})
            for added in (*rate_filters(shared=counts_together), limit)
        ),
    ]


def mappers(url: str) -> list[dict[str, Any]]:
    """Which problem an answer of Envoy's tells of; the first that fits counts, and every error fits one.

    A route's direct response below 500 says itself what is wrong. From 500 on it is Envoy Gateway's way to serve a
    route whose backend it can't find, and says nothing.
    """
    own_words = _all(_status("LE", 499), _details("response.code_details == 'direct_response'"))
    return [{"filter": own_words}, *_mappers_of_problems(url)]


def _mappers_of_problems(url: str) -> Iterator[dict[str, Any]]:
    for problem in PROBLEMS:
        yield _mapper(_told_by(problem), problem, url)
    general = {problem.status: problem for problem in PROBLEMS if not problem.when}
    yield _mapper(_status("GE", 500), general[500], url)
    yield _mapper(_status("GE", 400), general[400], url)


def _told_by(problem: Problem) -> dict[str, Any]:
    if not problem.when:
        return _status("EQ", problem.status)
    return _all(_status("EQ", problem.status), _details(f"response.code_details.contains('{problem.when}')"))


def _mapper(told_by: dict[str, Any], problem: Problem, url: str) -> dict[str, Any]:
    body = {"content_type": MEDIA_TYPE, "json_format": members(problem, url)}
    added = [{"header": {"key": name, "value": value}} for name, value in problem.headers]
    return {"filter": told_by, "body_format_override": body, **({"headers_to_add": added} if added else {})}


def _status(comparison: str, status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": "conecta.never_set"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _details(expression: str) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    return {"extension_filter": {"name": "cel", "typed_config": {"@type": kind, "expression": expression}}}


def _all(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"and_filter": {"filters": list(filters)}}


def patch(operation: dict[str, Any]) -> dict[str, Any]:
    """Change the listener."""
    return {"type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": _LISTENER, "operation": operation}
