"""Whom a change concerns: any watched object → the keys that need work.

Pure. What was written for an API is found by its name, never by its labels, so that an edit of those hides nothing.
Called by `intake` for each event of a watch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import (
    CONECTA_API,
    CONECTA_GRANT,
    CONFIG_MAP,
    ENDPOINT_SLICE,
    NAMESPACE,
    NETWORK_POLICY,
    SECRET,
    SECURITY_POLICY,
    SERVICE,
    Manifest,
    ObjectKey,
    key_of,
)
from conecta_operator.plan import naming, reads
from conecta_operator.reconcile.landscape import Landscape

__all__ = ["WATCHED", "Change", "Happened", "concerned", "shown_to_grants"]

WATCHED: Final = (
    CONECTA_API,
    CONECTA_GRANT,
    *naming.GENERATED_FOR_API,
    CONFIG_MAP,
    SERVICE,
    ENDPOINT_SLICE,
    NAMESPACE,
    NETWORK_POLICY,
)
"""By kopf, in all namespaces. Secrets are not among these: see `secrets_watch`."""


class Happened(StrEnum):
    """What a watch says of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    LISTED = "LISTED"
    """It exists: read at the start, or anew after the watch was interrupted."""


@dataclass(frozen=True)
class Change:
    """One event of a watch. `manifest` is the object afterwards, or the last that was seen of it."""

    happened: Happened
    manifest: Manifest
    is_news_for_grants: bool = True
    """Of an API: whether anything changed that its grants can see."""


def concerned(change: Change, landscape: Landscape) -> Iterator[ObjectKey]:
    """The keys that need work now, maybe some of them twice."""
    key = key_of(change.manifest)
    if key.kind == CONECTA_API:
        yield from _by_api(key, change, landscape)
    elif key.kind == CONECTA_GRANT:
        yield key
        yield reads.api_of_grant(ConectaGrant.parse(change.manifest))
    elif key.kind in {*naming.GENERATED_FOR_API, NETWORK_POLICY}:
        yield from _by_generated(key, landscape)
    elif key.kind in {CONFIG_MAP, SERVICE, ENDPOINT_SLICE}:
        referred = reads.service_of_slice(change.manifest) if key.kind == ENDPOINT_SLICE else key
        yield from (api.key for api in landscape.apis_in(key.namespace) if referred in reads.of_api(api))
    elif key.kind == SECRET:
        yield from (grant.key for grant in landscape.grants_in(key.namespace) if key.name in grant.secrets)
    elif key.kind == NAMESPACE:
        yield from (api.key for api in landscape.apis_in(key.name))
        yield from (grant.key for grant in landscape.grants_in(key.name))
        for api in landscape.apis_in(key.name):
            yield from (grant.key for grant in landscape.grants_of(api.key))


def shown_to_grants(api: Manifest) -> object:
    """What a grant can see of its API, to be compared. A change of anything else needs no look at the API's grants.

    All of it but the list of revoked keys, the times of conditions, and what the API server adds to each write. Without
    this, each revocation would have all grants of the API looked at, not just those that are being revoked.
    """
    metadata = api["metadata"]
    status = api.get("status") or {}
    return (
        metadata.get("uid"),
        metadata.get("deletionTimestamp"),
        repr(api.get("spec")),
        status.get("url"),
        tuple(_statement(condition) for condition in status.get("conditions") or ()),
    )


def _statement(condition: dict[str, Any]) -> tuple[object, ...]:
    return condition.get("type"), condition.get("status"), condition.get("reason"), condition.get("observedGeneration")


def _by_api(key: ObjectKey, change: Change, landscape: Landscape) -> Iterator[ObjectKey]:
    yield key
    yield from (grant.key for grant in landscape.grants_of(key) if change.is_news_for_grants or grant.awaits_policy)
    yield from (rival.key for rival in landscape.apis_claiming(ConectaApi.parse(change.manifest).base_path))
    if change.happened in {Happened.ADDED, Happened.DELETED}:
        # The ConfigMap with the issuer's keys is owned by all APIs of the namespace together.
        yield from (sibling.key for sibling in landscape.apis_in(key.namespace))


def _by_generated(key: ObjectKey, landscape: Landscape) -> Iterator[ObjectKey]:
    if key.kind == NETWORK_POLICY:
        owner = naming.owner_of_network_policy(key)
        yield from () if owner is None else (owner,)
        return
    api = naming.api_of_generated(key)
    yield api
    if key.kind == SECURITY_POLICY:
        yield from (grant.key for grant in landscape.grants_of(api) if grant.awaits_policy)
