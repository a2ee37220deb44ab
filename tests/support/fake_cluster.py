"""An API server in memory, as far as the operator can tell; tests/contract compares it with a real one."""

import asyncio
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from conecta_operator.api.objects import (
    CONFIG_MAP,
    MANAGED_BY,
    NAMESPACE,
    NETWORK_POLICY,
    SECRET,
    Kind,
    Manifest,
    ObjectKey,
    key_of,
)
from conecta_operator.errors import ClusterUnavailable, Conflict, OperatorError, Rejected
from tests.support.journal import Journal

__all__ = ["FakeCluster", "RecordedEvent"]

_WITHOUT_STATUS: Final = frozenset({CONFIG_MAP, NETWORK_POLICY, SECRET})
_OF_THE_SERVER: Final = (
    "uid",
    "creationTimestamp",
    "generation",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
)
_LEFT_OUT_WHEN_EMPTY: Final = ("labels", "annotations", "finalizers", "ownerReferences")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@dataclass(frozen=True)
class RecordedEvent:
    """What `record_event` was asked to say."""

    about: ObjectKey
    type_: str
    reason: str
    message: str


class FakeCluster:
    """A `Cluster`, and what others do to one: `put`, `drop`, `collect_garbage`.

    `journal` has the operator's writes, `events` what it said. While `outage` is an error, every method raises it.
    Kinds whose names are `not_offered` are unknown to watchers.
    """

    def __init__(self, *objects: Manifest, journal: Journal | None = None) -> None:
        self.journal = journal or Journal()
        self.events: list[RecordedEvent] = []
        self.outage: OperatorError | None = None
        self.not_offered = {"Unheard"}
        self.now = datetime(2026, 11, 24, 7, tzinfo=UTC)
        self._numbers = count(1)
        self._objects: dict[ObjectKey, Manifest] = {}
        for manifest in objects:
            self.put(manifest)

    # What others do

    @property
    def objects(self) -> Mapping[ObjectKey, Manifest]:
        """All there is, to look at."""
        return deepcopy(self._objects)

    @property
    def keys(self) -> tuple[ObjectKey, ...]:
        """What there is."""
        return tuple(self._objects)

    def manifest(self, key: ObjectKey) -> Manifest:
        """One object, to look at."""
        return deepcopy(self._objects[key])

    @property
    def versions(self) -> Mapping[ObjectKey, str]:
        """The resourceVersion of all there is: equal when nothing has changed."""
        return {key: manifest["metadata"]["resourceVersion"] for key, manifest in self._objects.items()}

    def put(self, manifest: Manifest) -> Manifest:
        """Make an object be so, status and all, and its namespace too if that is missing.

        Its uid may be given, and by `managedFields` when which part of it was written.
        """
        key = key_of(manifest)
        if key.namespace and ObjectKey(NAMESPACE, "", key.namespace) not in self._objects:
            self.put(_namespace(key.namespace))
        old = self._objects.get(key)
        given = manifest["metadata"]
        if old is None:
            new = self._born(key, manifest)
            new["metadata"] |= {part: given[part] for part in _OF_THE_SERVER[:3] if part in given}
        else:
            new = _changed(old, manifest)
        if "managedFields" in given:
            new["metadata"]["managedFields"] = deepcopy(given["managedFields"])
        if "status" in manifest:
            new["status"] = deepcopy(manifest["status"])
        return self._store(key, new)

    def drop(self, key: ObjectKey) -> None:
        """Make an object be gone, whatever its finalizers say."""
        del self._objects[key]

    def collect_garbage(self) -> None:
        """What the controller manager does in the background: ends orphans and what is in namespaces that end."""
        while orphans := list(self._orphans()):
            for key in orphans:
                self._end(key)
        uids = self._uids()
        for key, manifest in self._objects.items():
            owners = manifest["metadata"].get("ownerReferences", [])
            alive = [owner for owner in owners if owner["uid"] in uids]
            if alive != owners:
                manifest["metadata"]["ownerReferences"] = alive
                self._store(key, manifest)

    # The protocol

    async def get(self, key: ObjectKey) -> Manifest | None:
        """See Cluster."""
        await self._turn()
        return deepcopy(self._objects.get(key))

    async def list(self, kind: Kind, *, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """See Cluster."""
        await self._turn()
        wanted = set((labels or {}).items())
        return [
            deepcopy(manifest)
            for key, manifest in sorted(self._objects.items(), key=_place_in_etcd)
            if key.kind == kind
            and namespace in {"", key.namespace}
            and wanted <= set(manifest["metadata"].get("labels", {}).items())
        ]

    async def offers(self, kind: Kind) -> bool:
        """See Cluster."""
        await self._turn()
        return kind.name not in self.not_offered

    async def create(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        await self._turn()
        key = key_of(manifest)
        with self.journal.entry("create", key):
            self._check_new(key, manifest)
            return self._store(key, self._born(key, manifest))

    async def replace(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        await self._turn()
        version, key = manifest["metadata"]["resourceVersion"], key_of(manifest)
        with self.journal.entry("replace", key):
            old = self._current(key, version, manifest["metadata"].get("uid"))
            new = _changed(old, manifest)
            if "deletionTimestamp" in old["metadata"] and not _finalizers(new) <= _finalizers(old):
                raise Rejected(f"replace {key}: no new finalizers can be added if the object is being deleted")
            return deepcopy(old) if new == old else self._store(key, new)

    async def delete(self, manifest: Manifest) -> None:
        """See Cluster."""
        await self._turn()
        uid, key = manifest["metadata"]["uid"], key_of(manifest)
        with self.journal.entry("delete", key):
            found = self._objects.get(key)
            if found is None:
                return
            if found["metadata"]["uid"] != uid:
                raise Conflict(f"delete {key}: uid {uid} is not that of the object")
            self._end(key)

    async def patch_status(self, manifest: Manifest, status: Manifest) -> Manifest:
        """See Cluster."""
        await self._turn()
        version, key = manifest["metadata"]["resourceVersion"], key_of(manifest)
        with self.journal.entry("patch_status", key):
            if key.kind in _WITHOUT_STATUS:
                raise ClusterUnavailable(f"patch {key}/status: the server could not find the requested resource")
            old = self._current(key, version, None)
            new = deepcopy(old)
            new["status"] = _merged(old.get("status", {}), status)
            return deepcopy(old) if new["status"] == old.get("status", {}) else self._store(key, new)

    async def record_event(self, about: Manifest, *, type_: str, reason: str, message: str) -> None:
        """See Cluster."""
        await self._turn()
        with self.journal.entry("record_event", key_of(about)):
            self.events.append(RecordedEvent(key_of(about), type_, reason, message))

    # What an API server does by itself

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage

    def _check_new(self, key: ObjectKey, manifest: Manifest) -> None:
        if not _NAME.fullmatch(key.name):
            raise Rejected(f"create {key}: metadata.name: Invalid value")
        if manifest["metadata"].get("resourceVersion"):
            raise ClusterUnavailable(f"create {key}: resourceVersion should not be set on objects to be created")
        if key.namespace:
            namespace = self._objects.get(ObjectKey(NAMESPACE, "", key.namespace))
            if namespace is None or "deletionTimestamp" in namespace["metadata"]:
                raise ClusterUnavailable(f"create {key}: its namespace does not exist or is being terminated")
        if key in self._objects:
            raise Conflict(f"create {key}: already exists")

    def _current(self, key: ObjectKey, version: str, uid: str | None) -> Manifest:
        found = self._objects.get(key)
        if found is None:
            raise Conflict(f"{key} is gone since resourceVersion {version}")
        if found["metadata"]["resourceVersion"] != version or uid not in {None, found["metadata"]["uid"]}:
            raise Conflict(f"{key} has changed since resourceVersion {version}")
        return found

    def _born(self, key: ObjectKey, manifest: Manifest) -> Manifest:
        new = _tidy(manifest)
        for part in _OF_THE_SERVER:
            new["metadata"].pop(part, None)
        new["metadata"] |= {
            "uid": str(uuid.uuid5(uuid.NAMESPACE_OID, str(next(self._numbers)))),
            "creationTimestamp": self._timestamp(),
            "managedFields": [{"manager": MANAGED_BY, "operation": "Update", "apiVersion": manifest["apiVersion"]}],
        }
        if key.kind.group:
            new["metadata"]["generation"] = 1
        if key.kind not in _WITHOUT_STATUS:
            new.pop("status", None)
        return new

    def _store(self, key: ObjectKey, new: Manifest) -> Manifest:
        new = _tidy(new)
        new["metadata"]["resourceVersion"] = str(next(self._numbers))
        if "deletionTimestamp" in new["metadata"] and not _finalizers(new) and key.kind != NAMESPACE:
            self._objects.pop(key, None)
        else:
            self._objects[key] = new
        return deepcopy(new)

    def _end(self, key: ObjectKey) -> None:
        """Delete, or mark as being deleted while finalizers hold it; those of a namespace are its contents."""
        found = self._objects[key]
        metadata = found["metadata"]
        if not _finalizers(found) and not (key.kind == NAMESPACE and self._contents(key.name)):
            del self._objects[key]
        elif "deletionTimestamp" not in metadata:
            metadata |= {"deletionTimestamp": self._timestamp(), "deletionGracePeriodSeconds": 0}
            if "generation" in metadata:
                metadata["generation"] += 1
            self._store(key, found)

    def _orphans(self) -> Iterator[ObjectKey]:
        uids = self._uids()
        for key, manifest in self._objects.items():
            metadata = manifest["metadata"]
            owners = metadata.get("ownerReferences", [])
            namespace = self._objects.get(ObjectKey(NAMESPACE, "", key.namespace))
            ending = namespace is not None and "deletionTimestamp" in namespace["metadata"]
            emptied = key.kind == NAMESPACE and "deletionTimestamp" in metadata and not self._contents(key.name)
            unowned = bool(owners) and not any(owner["uid"] in uids for owner in owners)
            if emptied or ("deletionTimestamp" not in metadata and (ending or unowned)):
                yield key

    def _contents(self, namespace: str) -> Iterable[ObjectKey]:
        return [key for key in self._objects if key.namespace == namespace]

    def _uids(self) -> set[str]:
        return {manifest["metadata"]["uid"] for manifest in self._objects.values()}

    def _timestamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _place_in_etcd(item: tuple[ObjectKey, Manifest]) -> str:
    return f"{item[0].namespace}/{item[0].name}"


def _namespace(name: str) -> Manifest:
    return {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.name, "metadata": {"name": name}}


def _tidy(manifest: Manifest) -> Manifest:
    tidy = deepcopy(manifest)
    for part in _LEFT_OUT_WHEN_EMPTY:
        if not tidy["metadata"].get(part):
            tidy["metadata"].pop(part, None)
    return tidy


def _changed(old: Manifest, manifest: Manifest) -> Manifest:
    """What a PUT makes of an object, but for the resourceVersion."""
    new = _tidy(manifest)
    for part in _OF_THE_SERVER:
        new["metadata"].pop(part, None)
        if part in old["metadata"]:
            new["metadata"][part] = deepcopy(old["metadata"][part])
    if key_of(old).kind not in _WITHOUT_STATUS:
        new.pop("status", None)
        if "status" in old:
            new["status"] = deepcopy(old["status"])
    if "generation" in new["metadata"] and _content(new) != _content(old):
        new["metadata"]["generation"] += 1
    return new


def _content(manifest: Manifest) -> Manifest:
    return {part: value for part, value in manifest.items() if part not in {"metadata", "status"}}


def _finalizers(manifest: Manifest) -> set[str]:
    return set(manifest["metadata"].get("finalizers", []))


def _merged(value: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    merged = dict(value) if isinstance(value, dict) else {}
    for name, part in patch.items():
        if part is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), part)
    return merged
