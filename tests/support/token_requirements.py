"""By which names Envoy knows what is asked of tokens, and by which names its routes ask for it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.ports import ENVOY_ADMIN
from sandbox.probes import request

__all__ = ["Names", "NamesSeen", "names_now"]

_BETWEEN_LOOKS: Final = 0.25


@dataclass(frozen=True)
class Names:
    """At one moment: `known` to the listener, `asked` for by routes that somebody calls."""

    known: frozenset[str]
    asked: frozenset[str]


@dataclass
class NamesSeen:
    """All that were seen one after the other, those that are equal once."""

    states: list[Names] = field(default_factory=list)

    async def look_on_and_on(self) -> None:
        """Until cancelled."""
        while True:
            now = await asyncio.to_thread(names_now)
            if not self.states or self.states[-1] != now:
                self.states.append(now)
            await asyncio.sleep(_BETWEEN_LOOKS)


def names_now() -> Names:
    """By Envoy's dump of its configuration, which is of one moment."""
    dump = json.loads(request("GET", ENVOY_ADMIN, "/config_dump").body)
    listeners = [
        listener.get("active_state", {})
        for config in dump["configs"]
        for listener in config.get("dynamic_listeners", [])
    ]
    routes = [route for config in dump["configs"] for route in config.get("dynamic_route_configs", [])]
    return Names(
        known=frozenset(name for found in _find(listeners, "requirement_map") for name in found),
        asked=frozenset(
            name
            for route in routes
            for host in route["route_config"].get("virtual_hosts", [])
            if not any(domain.endswith(".invalid") for domain in host["domains"])
            for name in _find(host, "requirement_name")
        ),
    )


def _find(tree: Any, field_name: str) -> Iterator[Any]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == field_name:
                yield value
            else:
                yield from _find(value, field_name)
    elif isinstance(tree, list):
        for value in tree:
            yield from _find(value, field_name)
