"""What answers say of an API that is on its way out: Deprecation (RFC 9745), Sunset (RFC 8594), Link (RFC 8288)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.lifecycle import Stage
from conecta_operator.api.objects import Manifest

__all__ = ["deprecated_at", "notices_of"]


def deprecated_at(api: ConectaApi, now: datetime) -> datetime | None:
    """Since when the API is deprecated: as its provider says, or else since it was first seen so."""
    lifecycle = api.spec.lifecycle
    if lifecycle.stage is Stage.PUBLISHED:
        return None
    return lifecycle.deprecated_at or api.status.deprecated_at or now


def notices_of(api: ConectaApi, now: datetime) -> tuple[Manifest, ...]:
    """The filters of a route rule that put the headers on its answers. A Link of the backend's own stays beside it."""
    since, sunset = deprecated_at(api, now), api.spec.lifecycle.sunset
    if since is None:
        return ()
    dates = {"Deprecation": f"@{int(since.timestamp())}"}
    if sunset is not None:
        dates["Sunset"] = format_datetime(sunset.astimezone(UTC), usegmt=True)
    links = ", ".join(_links(api))
    changes: dict[str, Any] = {"set": [_header(name, value) for name, value in dates.items()]}
    if links:
        changes["add"] = [_header("Link", links)]
    return ({"type": "ResponseHeaderModifier", "responseHeaderModifier": changes},)


def _links(api: ConectaApi) -> Iterator[str]:
    lifecycle, documentation = api.spec.lifecycle, api.spec.documentation
    page = lifecycle.link or (documentation.url if documentation else None)
    if page is not None:
        relations = "deprecation" if lifecycle.sunset is None else "deprecation sunset"
        yield f'<{page}>; rel="{relations}"; type="text/html"'
    if lifecycle.successor is not None:
        yield f'<{lifecycle.successor}>; rel="successor-version"'


def _header(name: str, value: str) -> dict[str, str]:
    """A percent sign would be a format of Envoy's, and a wrong one would stop every route from changing."""
    return {"name": name, "value": value.replace("%", "%%")}
