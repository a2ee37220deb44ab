"""A key → all that a decision over it may look at, read live.

The landscape only says which objects may matter; each is read from the API server before it counts. Reads that don't
depend on one another run at once.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import SecretStr

from conecta_operator.api.agency import Agency, agency_of
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.keys import Key
from conecta_operator.api.objects import NAMESPACE, Manifest, ObjectKey, key_of
from conecta_operator.api.settings import Platform
from conecta_operator.apply.cluster import Cluster
from conecta_operator.apply.issuer import Issuer
from conecta_operator.errors import IssuerUnavailable
from conecta_operator.plan import naming, reads
from conecta_operator.plan.grants_seen import GrantSeen
from conecta_operator.plan.world import ApiWorld, GrantWorld
from conecta_operator.reconcile.landscape import Landscape
from conecta_operator.reconcile.signing_keys import SigningKeys

__all__ = ["Gather", "fresh_secret", "now"]

logger = logging.getLogger(__name__)


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def fresh_secret() -> SecretStr:
    """32 random bytes, URL-safe."""
    return SecretStr(secrets.token_urlsafe(32))


@dataclass(frozen=True, kw_only=True)
class Gather:
    """Reads worlds. Raises what `Cluster` and `Issuer` raise: a world is whole or there is none."""

    cluster: Cluster
    issuer: Issuer
    signing_keys: SigningKeys
    landscape: Landscape
    platform: Platform
    now: Callable[[], datetime] = field(default=now)
    fresh_secret: Callable[[], SecretStr] = field(default=fresh_secret)

    async def api(self, manifest: Manifest) -> ApiWorld:
        """The world of an API that was just read."""
        api = ConectaApi.parse(manifest)
        async with _at_once() as group:
            policies = naming.network_policies_of_api(api, self.platform.network.proxy_namespace)
            objects = group.create_task(self._objects((*reads.of_api(api), *policies)))
            listed = group.create_task(self._listed(reads.listed_for_api(api)))
            rivals = group.create_task(self._rivals(api))
            keys = group.create_task(self.signing_keys.current())
            grants = group.create_task(self._grants(api))
        namespace = objects.result().get(ObjectKey(NAMESPACE, "", api.metadata.namespace))
        return ApiWorld(
            api=api,
            agency=agency_of(namespace) if namespace is not None else None,
            rivals=rivals.result(),
            siblings=_others(api, self.landscape.apis_in(api.metadata.namespace)),
            objects=objects.result() | listed.result(),
            jwks=keys.result().in_use,
            grants=grants.result(),
            platform=self.platform,
            now=self.now(),
        )

    async def grant(self, manifest: Manifest) -> GrantWorld:
        """The world of a grant that was just read."""
        grant = ConectaGrant.parse(manifest)
        async with _at_once() as group:
            policies = naming.network_policies_of_grant(grant, self.platform.network.proxy_namespace)
            objects = group.create_task(self._objects((*reads.of_grant(grant), *policies)))
            agency = group.create_task(self._agency(grant.metadata.namespace))
            keys = group.create_task(self._keys(grant))
        api = objects.result().get(reads.api_of_grant(grant))
        return GrantWorld(
            grant=grant,
            api=ConectaApi.parse(api) if api is not None else None,
            agency=agency.result(),
            objects=objects.result(),
            keys=keys.result(),
            fresh_secret=self.fresh_secret(),
            platform=self.platform,
            now=self.now(),
        )

    async def _objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, Manifest]:
        async with _at_once() as group:
            found = {key: group.create_task(self.cluster.get(key)) for key in keys}
        manifests = {key: read.result() for key, read in found.items()}
        return {key: manifest for key, manifest in manifests.items() if manifest is not None}

    async def _listed(self, listings: Iterable[reads.Listing]) -> dict[ObjectKey, Manifest]:
        async with _at_once() as group:
            found = [
                group.create_task(self.cluster.list(listing.kind, namespace=listing.namespace, labels=listing.labels))
                for listing in listings
            ]
        return {key_of(manifest): manifest for listed in found for manifest in listed.result()}

    async def _agency(self, namespace: str) -> Agency | None:
        manifest = await self.cluster.get(ObjectKey(NAMESPACE, "", namespace))
        return agency_of(manifest) if manifest is not None else None

    async def _api(self, key: ObjectKey) -> ConectaApi | None:
        manifest = await self.cluster.get(key)
        return ConectaApi.parse(manifest) if manifest is not None else None

    async def _keys(self, grant: ConectaGrant) -> tuple[Key, ...] | None:
        try:
            return await self.issuer.keys(grant.metadata.uid)
        except IssuerUnavailable as error:
            logger.warning("%s: %s", grant.key, error)
            return None

    async def _grants(self, api: ConectaApi) -> tuple[GrantSeen, ...]:
        """As the watch has them; read live when an API is about to go, because it must not go before them."""
        seen = tuple(self.landscape.grants_of(api.key))
        if api.metadata.deletion_timestamp is None:
            return seen
        async with _at_once() as group:
            live = [group.create_task(self.cluster.get(grant.key)) for grant in seen]
        manifests = (read.result() for read in live)
        return tuple(GrantSeen.of(ConectaGrant.parse(manifest)) for manifest in manifests if manifest is not None)

    async def _rivals(self, api: ConectaApi) -> tuple[ConectaApi, ...]:
        async with _at_once() as group:
            live = [
                group.create_task(self._api(rival.key))
                for rival in _others(api, self.landscape.apis_claiming(api.base_path))
            ]
        rivals = (read.result() for read in live)
        return tuple(rival for rival in rivals if rival is not None and rival.base_path == api.base_path)


def _others(api: ConectaApi, apis: Iterable[ConectaApi]) -> tuple[ConectaApi, ...]:
    return tuple(sorted((other for other in apis if other.key != api.key), key=lambda other: other.key))


@asynccontextmanager
async def _at_once() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that run together: the first failure ends the others, and is raised as itself rather than in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
