"""The Kubernetes API as the operator uses it."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from conecta_operator.api.objects import Kind, Manifest, ObjectKey

__all__ = ["Cluster", "WatchableCluster"]


class Cluster(Protocol):
    """A real or a fake cluster; one contract suite (tests/contract) holds both to this text.

    Every method raises ClusterUnavailable when the API server doesn't do it for a reason outside of the object, and
    Rejected when it refuses the object itself.
    """

    async def get(self, key: ObjectKey) -> Manifest | None:
        """The object as it is now, read from the API server and not from a cache; None when there is none.

        Users write names: one that no object can have is the name of none. That a kind isn't served is no absence.
        """

    async def list(self, kind: Kind, *, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """All objects of a kind (in one namespace, with these labels), each with apiVersion and kind."""

    async def offers(self, kind: Kind) -> bool:
        """Whether the API server names the kind among those that it serves, which is where watchers look it up."""

    async def create(self, manifest: Manifest) -> Manifest:
        """The object as stored. Raises Conflict when one of that name exists."""

    async def replace(self, manifest: Manifest) -> Manifest:
        """Make the whole object (but for its status) what the manifest says, and nothing else.

        The manifest carries `metadata.resourceVersion`; raises Conflict when the object has moved on or is gone.
        Writing what is already there changes nothing, not even the resourceVersion.
        """

    async def delete(self, manifest: Manifest) -> None:
        """Delete this very object (by its uid). Success when it is gone already; Conflict when another has its name."""

    async def patch_status(self, manifest: Manifest, status: Manifest) -> Manifest:
        """Set these fields of `status` (JSON merge patch: None removes one), leaving its other fields alone.

        `manifest` tells the object and the resourceVersion on which the decision was based; raises Conflict when the
        object has moved on or is gone. Setting what is already there changes nothing, not even the resourceVersion.
        """

    async def record_event(self, about: Manifest, *, type_: str, reason: str, message: str) -> None:
        """Record a Kubernetes Event (`Normal` or `Warning`) about an object, as `kubectl describe` shows it."""


class WatchableCluster(Protocol):
    """The Kubernetes API where kopf doesn't watch it: namespace by namespace, and never more than metadata."""

    async def get(self, key: ObjectKey) -> Manifest | None:
        """See Cluster."""

    async def version(self, kind: Kind, *, namespace: str) -> str:
        """How far the objects of a kind in a namespace have come: from there on, `changes` misses none."""

    def changes(self, kind: Kind, *, namespace: str, since: str) -> AsyncIterator[tuple[str, Manifest]]:
        """ADDED, MODIFIED or DELETED, and the object without what it holds.

        Ends when too old a past is asked for, and when the API server ends the watch as soon as it has begun.
        """
