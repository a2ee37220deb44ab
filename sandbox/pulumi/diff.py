"""What changes between two versions of an object, and which changes need a new object. Pure.

As in the official provider nothing here asks the API server: what was last applied is compared with what is wanted.
Drift is seen because a refresh (`refreshed`) writes what it finds into what was last applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from typing_extensions import override

from sandbox.pulumi.names import AUTONAMED, group_of
from sandbox.pulumi.settings import Settings
from sandbox.pulumi.values import decoded, encoded

__all__ = ["Change", "Kind", "Verdict", "pruned", "refreshed", "verdict"]

Path: TypeAlias = tuple[str | int, ...]
Manifest: TypeAlias = Mapping[str, Any]

IDENTITY: Final[tuple[Path, ...]] = (("kind",), ("metadata", "name"), ("metadata", "namespace"))
"""A change of these names another object, whatever the kind."""

IMMUTABLE: Final[Mapping[tuple[str, str], tuple[Path, ...]]] = {
    ("", "PersistentVolumeClaim"): (
        ("spec", "accessModes"),
        ("spec", "selector"),
        ("spec", "storageClassName"),
        ("spec", "volumeName"),
    ),
    ("", "Pod"): (("spec",),),
    ("", "ResourceQuota"): (("spec", "scopes"),),
    ("", "Secret"): (("type",),),
    ("", "Service"): (("spec", "clusterIP"), ("spec", "type")),
    ("apps", "DaemonSet"): (("spec", "selector"),),
    ("apps", "Deployment"): (("spec", "selector"),),
    ("apps", "StatefulSet"): (
        ("spec", "podManagementPolicy"),
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "volumeClaimTemplates"),
    ),
    ("batch", "Job"): (("spec", "completions"), ("spec", "selector"), ("spec", "template")),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (("roleRef",),),
    ("rbac.authorization.k8s.io", "RoleBinding"): (("roleRef",),),
    ("storage.k8s.io", "StorageClass"): (("parameters",), ("provisioner",), ("reclaimPolicy",), ("volumeBindingMode",)),
}
"""What the API server never lets change; what the official provider replaces objects for."""

CONTENTS: Final[tuple[Path, ...]] = (("data",), ("binaryData",), ("stringData",))


class Kind(IntEnum):
    """Pulumi's numbers for what happens to a property; the next number is the same with a replacement."""

    ADD = 0
    DELETE = 2
    UPDATE = 4


@dataclass(frozen=True)
class Change:
    """One property that differs."""

    path: Path
    kind: Kind
    replaces: bool = False

    @override
    def __str__(self) -> str:
        return "".join(_segment(step) for step in self.path).removeprefix(".")


def _segment(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if step.replace("_", "").replace("-", "").isalnum():
        return f".{step}"
    escaped = step.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


@dataclass(frozen=True)
class Verdict:
    """All that Pulumi wants to know before it changes an object."""

    changes: tuple[Change, ...]
    deletes_first: bool
    """The new object has the name of the old one, so the old one must go first."""

    @property
    def replaces(self) -> tuple[Change, ...]:
        """The changes that need a new object."""
        return tuple(change for change in self.changes if change.replaces)


def verdict(
    applied: Manifest, wanted: Manifest, live: Manifest, settings: Settings, *, hidden: Sequence[str] = ()
) -> Verdict:
    """What becomes of an object: last applied, wanted now, and live as far as we know; `hidden` is secret only now."""
    fixed = _replacing_paths(wanted, live, settings)
    changes = tuple(
        Change(change.path, change.kind, replaces=any(_touches(change.path, path) for path in fixed))
        for change in _compare(applied, wanted)
    )
    changed = {change.path[0] for change in changes}
    changes += tuple(Change((key,), Kind.UPDATE) for key in hidden if key not in changed)
    return Verdict(changes, deletes_first=any(c.replaces for c in changes) and _keeps_its_name(applied, wanted))


def _replacing_paths(wanted: Manifest, live: Manifest, settings: Settings) -> tuple[Path, ...]:
    group, kind = group_of(wanted["apiVersion"]), wanted["kind"]
    is_mutable = {"ConfigMap": settings.config_maps_are_mutable, "Secret": settings.secrets_are_mutable}
    has_contents = not group and kind in is_mutable
    is_frozen = has_contents and (live.get("immutable") is True or not is_mutable[kind])
    return IDENTITY + IMMUTABLE.get((group, kind), ()) + (CONTENTS if is_frozen else ())


def _touches(changed: Path, fixed: Path) -> bool:
    shared = min(len(changed), len(fixed))
    return changed[:shared] == fixed[:shared]


def _keeps_its_name(applied: Manifest, wanted: Manifest) -> bool:
    old, new = applied["metadata"], wanted["metadata"]
    if not isinstance(new, Mapping):
        return True  # not known before the real run, so the safe order
    is_autonamed = new.get("annotations", {}).get(AUTONAMED) == "true"
    return not is_autonamed and (old.get("namespace"), old["name"]) == (new.get("namespace"), new["name"])


def _compare(old: Any, new: Any, path: Path = ()) -> Iterator[Change]:
    was, now = _members(old, new), _members(new, old)
    if was is None or now is None:
        if not _same(old, new):
            yield Change(path, Kind.UPDATE)
        return
    for key in sorted(was.keys() | now.keys()):
        if key in was and key in now:
            yield from _compare(was[key], now[key], (*path, key))
        else:
            yield Change((*path, key), Kind.ADD if key in now else Kind.DELETE)


def _members(value: Any, other: Any) -> Mapping[Any, Any] | None:
    """What is in a value, by key or index; None when it can't be compared member by member with the other."""
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value
    return dict(enumerate(value)) if _is_list(value) and _is_list(other) else None


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same(old: Any, new: Any) -> bool:
    """Equality as JSON has it: `true` is not `1`, as it is in Python."""
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def pruned(live: Any, shape: Any) -> Any:
    """The part of a live object that the shape speaks of: what an import compares a program with."""
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return {key: pruned(live[key], shape[key]) for key in shape if key in live}
    if _is_list(live) and _is_list(shape) and len(live) == len(shape):
        return [pruned(item, like) for item, like in zip(live, shape, strict=True)]
    return live


def refreshed(applied: Manifest, before: Manifest, now: Manifest) -> dict[str, Any]:
    """What was applied, with everything changed that became different in the live object since.

    Live states are compared with each other, not with what was applied: the API server adds defaults and writes
    quantities its own way, and that is no drift.
    """
    drifted: dict[str, Any] = _drift({key: value for key, value in applied.items() if key != "stringData"}, before, now)
    if "stringData" in applied:
        drifted["stringData"] = _string_data(applied["stringData"], now.get("data", {}))
    return drifted


def _drift(applied: Any, before: Any, now: Any) -> Any:
    if isinstance(applied, Mapping) and isinstance(now, Mapping):
        was = before if isinstance(before, Mapping) else {}
        return {
            key: _drift(value, was.get(key), now[key]) if key in now else value
            for key, value in applied.items()
            if key in now or key not in was
        }
    if _is_list(applied) and _is_list(before) and _is_list(now) and len(applied) == len(before) == len(now):
        return [_drift(*items) for items in zip(applied, before, now, strict=True)]
    return applied if _same(before, now) else now


def _string_data(applied: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    found = {
        key: text if data[key] == encoded(text) else decoded(data[key]) for key, text in applied.items() if key in data
    }
    return {key: text for key, text in found.items() if text is not None}
