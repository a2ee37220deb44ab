"""What kopf keeps for us of every object that it sees, and the view of it that everybody else uses.

Each indexer turns one object into {question: answer}; kopf merges these, and drops the answers of a deleted object.
Indexers are async, because kopf runs others in threads.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import Manifest, ObjectKey
from conecta_operator.plan.grants_seen import GrantSeen

__all__ = [
    "IndexedLandscape",
    "apis_by_base_path",
    "apis_by_namespace",
    "grants_by_api",
    "grants_by_namespace",
]


async def apis_by_namespace(body: Mapping[str, Any], **_: Any) -> dict[str, ConectaApi]:
    """Namespace → its APIs."""
    api = ConectaApi.parse(_manifest(body))
    return {api.metadata.namespace: api}


async def apis_by_base_path(body: Mapping[str, Any], **_: Any) -> dict[str, ConectaApi]:
    """Base path → the APIs that claim it."""
    api = ConectaApi.parse(_manifest(body))
    return {api.base_path: api}


async def grants_by_namespace(body: Mapping[str, Any], **_: Any) -> dict[str, GrantSeen]:
    """Namespace → its grants."""
    grant = GrantSeen.of(ConectaGrant.parse(_manifest(body)))
    return {grant.key.namespace: grant}


async def grants_by_api(body: Mapping[str, Any], **_: Any) -> dict[ObjectKey, GrantSeen]:
    """API → the grants that name it."""
    grant = GrantSeen.of(ConectaGrant.parse(_manifest(body)))
    return {grant.api: grant}


class IndexedLandscape:
    """The landscape as kopf's indices have it. Empty until kopf has handed them over, before anything is listed."""

    def __init__(self) -> None:
        self._apis_by_namespace: Mapping[str, Iterable[ConectaApi]] = {}
        self._apis_by_base_path: Mapping[str, Iterable[ConectaApi]] = {}
        self._grants_by_namespace: Mapping[str, Iterable[GrantSeen]] = {}
        self._grants_by_api: Mapping[ObjectKey, Iterable[GrantSeen]] = {}
        self._buried: set[str] = set()

    def look_at(
        self,
        *,
        apis_by_namespace: Mapping[str, Iterable[ConectaApi]],
        apis_by_base_path: Mapping[str, Iterable[ConectaApi]],
        grants_by_namespace: Mapping[str, Iterable[GrantSeen]],
        grants_by_api: Mapping[ObjectKey, Iterable[GrantSeen]],
    ) -> None:
        """Show what these indices hold, now and whenever it changes."""
        self._apis_by_namespace = apis_by_namespace
        self._apis_by_base_path = apis_by_base_path
        self._grants_by_namespace = grants_by_namespace
        self._grants_by_api = grants_by_api

    def bury(self, uids: Iterable[str]) -> None:
        """See Surveyed."""
        self._buried.update(uids)

    def apis(self) -> Iterable[ConectaApi]:
        """See Landscape."""
        return [api for namespace in self._apis_by_namespace for api in self.apis_in(namespace)]

    def grants(self) -> Iterable[GrantSeen]:
        """See Landscape."""
        return [grant for namespace in self._grants_by_namespace for grant in self.grants_in(namespace)]

    def apis_in(self, namespace: str) -> Iterable[ConectaApi]:
        """See Landscape."""
        return self._living_apis(self._apis_by_namespace.get(namespace, ()))

    def apis_claiming(self, base_path: str) -> Iterable[ConectaApi]:
        """See Landscape."""
        return self._living_apis(self._apis_by_base_path.get(base_path, ()))

    def grants_in(self, namespace: str) -> Iterable[GrantSeen]:
        """See Landscape."""
        return self._living_grants(self._grants_by_namespace.get(namespace, ()))

    def grants_of(self, api: ObjectKey) -> Iterable[GrantSeen]:
        """See Landscape."""
        return self._living_grants(self._grants_by_api.get(api, ()))

    def _living_apis(self, apis: Iterable[ConectaApi]) -> list[ConectaApi]:
        return [api for api in apis if api.metadata.uid not in self._buried]

    def _living_grants(self, grants: Iterable[GrantSeen]) -> list[GrantSeen]:
        return [grant for grant in grants if grant.uid not in self._buried]


def _manifest(body: Mapping[str, Any]) -> Manifest:
    """Kopf's view of an object as a plain one."""
    return dict(body)
