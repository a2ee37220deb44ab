"""Puts revoked keys on their APIs' lists; those that come together are written together.

Many grants may lose the same API at once, and all of them write to its one status. Each for itself would meet the
conflicts of the others over and over. Requests name keys of their own grants only, so that they may be merged into
whatever the list has become meanwhile.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import Manifest, ObjectKey, key_of
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import Conflict

__all__ = ["Denials"]

_ATTEMPTS: Final = 5


@dataclass(eq=False)
class _Request:
    until: Mapping[str, datetime] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()
    is_written: bool = False


@dataclass
class _Waiting:
    """Who waits for a write to one API; one of them writes for all."""

    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    requests: list[_Request] = field(default_factory=list)


class Denials:
    """One for the whole operator: what comes by different ones does not come together."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._waiting: dict[tuple[ObjectKey, str], _Waiting] = {}

    async def add(self, api: Manifest, until: Mapping[str, datetime]) -> None:
        """Return when these client ids are on the API's list. Raises Conflict when the API is gone."""
        await self._ask(api, _Request(until=until))

    async def lift(self, api: Manifest, client_ids: frozenset[str]) -> None:
        """Return when these client ids are no longer on the API's list. Raises Conflict when the API is gone."""
        await self._ask(api, _Request(lifted=client_ids))

    async def _ask(self, api: Manifest, request: _Request) -> None:
        place = key_of(api), api["metadata"]["uid"]
        waiting = self._waiting.setdefault(place, _Waiting())
        waiting.requests.append(request)
        try:
            async with waiting.writing:
                if not request.is_written:
                    await self._write(*place, tuple(waiting.requests))
        finally:
            waiting.requests.remove(request)
            if not waiting.requests:
                self._waiting.pop(place, None)

    async def _write(self, key: ObjectKey, uid: str, requests: Iterable[_Request]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._merge(key, uid, requests)
            except Conflict:
                if attempt == _ATTEMPTS:
                    raise
            else:
                break
        for request in requests:
            request.is_written = True

    async def _merge(self, key: ObjectKey, uid: str, requests: Iterable[_Request]) -> None:
        api = await self._cluster.get(key)
        if api is None or api["metadata"]["uid"] != uid:
            raise Conflict(f"{key} is gone, or is another one of the same name")
        listed = (api.get("status") or {}).get("revokedKeys") or []
        merged = _merged(listed, requests)
        if merged != listed:
            await self._cluster.patch_status(api, {"revokedKeys": merged})


def _merged(listed: Iterable[Mapping[str, Any]], requests: Iterable[_Request]) -> list[dict[str, str]]:
    """The list after all these requests. A key that is there already stays for the longest of its times."""
    until: dict[str, str] = {entry["clientId"]: entry["until"] for entry in listed}
    for request in requests:
        for client_id in request.lifted:
            until.pop(client_id, None)
        for client_id, moment in request.until.items():
            until[client_id] = max(until.get(client_id, ""), timestamp(moment))
    return [{"clientId": client_id, "until": moment} for client_id, moment in sorted(until.items())]
