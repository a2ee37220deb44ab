"""The life of one object: checked, compared, created, read, updated, deleted.

Plain JSON in and out, with secrets wrapped as Pulumi wraps them; everything blocks, so it runs in worker threads. The
state that is kept is the official provider's: the live object, what was applied (`__inputs`), and by whom.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sandbox.pulumi import waits
from sandbox.pulumi.diff import Verdict, pruned, refreshed, verdict
from sandbox.pulumi.names import AUTONAMED, autoname, object_id, split_id, type_of
from sandbox.pulumi.rest import ApiError, Cluster, ClusterError, NotServed
from sandbox.pulumi.settings import Settings
from sandbox.pulumi.values import (
    UNKNOWN,
    annotate,
    fold_string_data,
    guard,
    has_secret,
    has_unknown,
    strip,
    without_nulls,
)

__all__ = ["Halfway", "Lifecycle", "Properties", "State"]

Properties: TypeAlias = dict[str, Any]

INPUTS: Final = "__inputs"
FIELD_MANAGER: Final = "__fieldManager"
INITIAL_API_VERSION: Final = "__initialApiVersion"

MANAGER_ANNOTATION: Final = "pulumi.com/patchFieldManager"
FORCE_ANNOTATION: Final = "pulumi.com/patchForce"
PROPAGATION_ANNOTATION: Final = "pulumi.com/deletionPropagationPolicy"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
SERVER_METADATA: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink")

PATIENCE: Final = 10.0
"""Seconds in which a kind or namespace that was just made has to be served."""

FORBIDDEN, NOT_FOUND, CONFLICT = 403, 404, 409


@dataclass(frozen=True)
class State:
    """An object as Pulumi keeps it."""

    id: str
    outputs: Properties
    inputs: Properties


class Halfway(Exception):  # it is a state of the object as much as an error
    """The object exists but did not become ready; Pulumi keeps it and tries again at the next `up`."""

    def __init__(self, state: State, reasons: list[str]) -> None:
        super().__init__(f"{state.id} exists but is not ready: {'; '.join(reasons)}")
        self.state = state
        self.reasons = reasons


class Lifecycle:
    """All that can happen to objects of one cluster."""

    def __init__(self, settings: Settings, cluster: Callable[[], Cluster], cancelled: threading.Event) -> None:
        self._settings = settings
        self._cluster = cluster
        self._cancelled = cancelled
        self._deleted_first: set[str] = set()

    def check(self, token: str, name: str, olds: Properties, news: Properties, seed: bytes) -> Properties:
        """The inputs as they will be applied: name and namespace filled in, what must be a secret made one."""
        inputs: Properties = without_nulls(news)
        problem = _refusal(token, strip(inputs))
        if problem:
            raise ClusterError(problem)
        metadata = strip(inputs.get("metadata", {}))
        if metadata == UNKNOWN:
            return guard(inputs)
        if not metadata.get("name"):
            metadata |= _made_up_name(name, strip(olds).get("metadata", {}), metadata, seed)
        metadata = self._scoped(strip(inputs), metadata, strip(olds))
        return guard(inputs | {"metadata": annotate(metadata, inputs.get("metadata", {}))})

    def _scoped(self, inputs: Properties, metadata: Properties, olds: Properties) -> Properties:
        try:
            is_namespaced = self._cluster().find(inputs["apiVersion"], inputs["kind"]).namespaced
        except NotServed:
            return metadata
        if not is_namespaced:
            return {key: value for key, value in metadata.items() if key != "namespace"}
        was_left_open = bool(olds) and "namespace" not in olds.get("metadata", {})
        return metadata if was_left_open else {"namespace": self._cluster().namespace} | metadata

    def diff(self, urn: str, olds: Properties, news: Properties) -> Verdict:
        """What an update would change; after an import, as far as the program speaks of it."""
        live, wanted = strip(olds), strip(news)
        if live.get(INPUTS):
            found = verdict(live[INPUTS], wanted, live, self._settings, hidden=_newly_secret(olds[INPUTS], news))
        else:
            found = verdict(pruned(live, wanted), wanted, live, self._settings)
        if found.deletes_first:
            self._deleted_first.add(urn)
        return found

    def create(self, urn: str, inputs: Properties, *, timeout: float, preview: bool) -> State:
        """The object, made; in previews as the API server says it would be."""
        manager = f"pulumi-kubernetes-{secrets.token_hex(4)}"
        if preview and (has_unknown(inputs) or urn in self._deleted_first):
            return _preliminary(inputs)
        if not preview and not self._settings.upsert and self._find(strip(inputs)) is not None:
            raise ClusterError(f"{_described(strip(inputs))} already exists (see `upsertExistingObjects`)")
        return self._applied(inputs, manager, strip(inputs)["apiVersion"], timeout=timeout, preview=preview)

    def update(self, olds: Properties, inputs: Properties, *, timeout: float, preview: bool) -> State:
        """The object, changed; made anew when it was lost."""
        if preview and has_unknown(inputs):
            state = _preliminary(inputs)
            return State(state.id, olds | state.outputs, inputs)
        manager = olds.get(FIELD_MANAGER) or f"pulumi-kubernetes-{secrets.token_hex(4)}"
        since = olds.get(INITIAL_API_VERSION) or strip(inputs)["apiVersion"]
        return self._applied(inputs, manager, since, timeout=timeout, preview=preview)

    def read(self, identifier: str, token: str, olds: Properties, inputs: Properties) -> State | None:
        """The object as it is now, None when it is gone; drift shows in the inputs."""
        known = strip(inputs) or strip(olds)
        api_version, kind = (known["apiVersion"], known["kind"]) if "kind" in known else type_of(token)
        live = self._cluster().get(api_version, kind, self._placed(api_version, kind, split_id(identifier)))
        if live is None:
            return None
        if not inputs:
            return State(identifier, _outputs(live, {}, olds), guard(_without_server_fields(live)))
        now = _recorded(live)
        drifted = guard(annotate(refreshed(strip(inputs), strip(olds), now), inputs))
        state = State(identifier, _outputs(live, drifted, olds), drifted)
        if reasons := waits.unmet(live):
            raise Halfway(state, reasons)
        return state

    def delete(self, olds: Properties, *, timeout: float) -> None:
        """Gone, finalizers and contents included; that it was gone already is fine."""
        obj = strip(olds)
        live = self._find(obj)
        if live is not None:
            policy = obj["metadata"].get("annotations", {}).get(PROPAGATION_ANNOTATION, "background")
            self._cluster().delete(live, propagation=policy.capitalize())
            self._await_absence(live, waits.timeout_of(obj, timeout))

    def _applied(self, inputs: Properties, manager: str, since: str, *, timeout: float, preview: bool) -> State:
        manifest = fold_string_data(strip(inputs))
        annotations = manifest["metadata"].get("annotations", {})
        manager = annotations.get(MANAGER_ANNOTATION, manager)
        force = self._settings.force or annotations.get(FORCE_ANNOTATION) == "true"
        if preview:
            live = self._tried(manifest, manager, force=force)
            if live is None:
                return _preliminary(inputs)
        else:
            live = self._written(manifest, manager, force=force, timeout=waits.timeout_of(manifest, timeout))
        state = State(object_id(live["metadata"]), _outputs(live, inputs, _origin(manager, since)), inputs)
        return state if preview else self._awaited(state, live, waits.timeout_of(manifest, timeout))

    def _tried(self, manifest: Properties, manager: str, *, force: bool) -> Properties | None:
        """The object after a dry run; None when that can't be known before the real run."""
        try:
            return self._put(manifest, manager, force=force, dry_run=True)
        except NotServed:
            return None
        except ApiError as error:
            is_denied = error.status == FORBIDDEN and "denied" in str(error)
            if error.status in (FORBIDDEN, NOT_FOUND) and not is_denied:
                return None
            raise

    def _written(self, manifest: Properties, manager: str, *, force: bool, timeout: float) -> Properties:
        """The object after a write; kinds and namespaces made just before it may need a moment to be served."""
        live: Properties = {}
        failure: ClusterError | None = None

        def succeeds() -> bool:
            nonlocal live, failure
            try:
                live = self._put(manifest, manager, force=force, dry_run=False)
            except (NotServed, ApiError) as error:
                if isinstance(error, ApiError) and error.status != NOT_FOUND:
                    raise
                failure = error
                return False
            return True

        if not waits.until(succeeds, timeout=PATIENCE, cancelled=self._cancelled):
            raise failure or ClusterError("cancelled")
        if "deletionTimestamp" not in live["metadata"]:
            return live
        self._await_absence(live, timeout)
        return self._put(manifest, manager, force=force, dry_run=False)

    def _put(self, manifest: Properties, manager: str, *, force: bool, dry_run: bool) -> Properties:
        metadata = self._placed(manifest["apiVersion"], manifest["kind"], manifest["metadata"])
        try:
            return self._cluster().apply(
                manifest | {"metadata": metadata}, manager=manager, force=force, dry_run=dry_run
            )
        except ApiError as error:
            if error.status == CONFLICT and not force:
                hint = f"set `enablePatchForce` or the annotation {FORCE_ANNOTATION}"
                raise ApiError(CONFLICT, f"{error}\n{hint} to take these fields over") from error
            raise

    def _placed(self, api_version: str, kind: str, metadata: Mapping[str, Any]) -> Properties:
        """The metadata with the namespace where the kind has one, and without where it has none."""
        try:
            is_namespaced = self._cluster().find(api_version, kind).namespaced
        except NotServed:
            return dict(metadata)
        place = {"namespace": metadata.get("namespace") or self._cluster().namespace} if is_namespaced else {}
        return {key: value for key, value in metadata.items() if key != "namespace"} | place

    def _find(self, manifest: Properties) -> Properties | None:
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        return self._cluster().get(api_version, kind, self._placed(api_version, kind, manifest["metadata"]))

    def _awaited(self, state: State, live: Properties, timeout: float) -> State:
        latest: Properties | None = live

        def is_ready() -> bool:
            nonlocal latest
            if latest is not None and not waits.unmet(latest):
                return True
            latest = self._find(live)
            return latest is not None and not waits.unmet(latest)

        is_done = waits.until(is_ready, timeout=timeout, cancelled=self._cancelled)
        if latest is not None:
            state = State(state.id, _outputs(latest, state.inputs, state.outputs), state.inputs)
        if not is_done:
            raise Halfway(state, waits.unmet(latest) if latest else ["it was deleted while it was waited for"])
        return state

    def _await_absence(self, live: Properties, timeout: float) -> None:
        latest: Properties | None = live

        def is_gone() -> bool:
            nonlocal latest
            latest = self._find(live)
            return latest is None or latest["metadata"]["uid"] != live["metadata"]["uid"]

        if not waits.until(is_gone, timeout=timeout, cancelled=self._cancelled):
            raise ClusterError(f"{_described(live)} is still being deleted: {_obstacles(latest or live)}")


def _refusal(token: str, inputs: Properties) -> str | None:
    if not inputs.get("apiVersion") or not inputs.get("kind"):
        return "apiVersion and kind are required"
    if token.endswith(f":{inputs['kind']}Patch"):
        return "the stand-in provider has no Patch resources"
    if "generateName" in inputs.get("metadata", {}):
        return "the stand-in provider does not know metadata.generateName: leave the name out"
    return None


def _made_up_name(resource_name: str, old: Properties, new: Properties, seed: bytes) -> Properties:
    was_made_up = old.get("annotations", {}).get(AUTONAMED) == "true"
    name = old["name"] if was_made_up else autoname(resource_name, seed)
    return {"name": name, "annotations": new.get("annotations", {}) | {AUTONAMED: "true"}}


def _newly_secret(applied: Properties, wanted: Properties) -> list[str]:
    """What the program has declared a secret since: it must be written again to vanish from the state."""
    return [key for key, value in wanted.items() if has_secret(value) and not has_secret(applied.get(key))]


def _preliminary(inputs: Properties) -> State:
    metadata = strip(inputs)["metadata"]
    identifier = object_id(metadata) if isinstance(metadata, dict) else UNKNOWN
    return State(identifier, inputs | {INPUTS: inputs}, inputs)


def _origin(manager: str, since: str) -> Properties:
    return {FIELD_MANAGER: manager, INITIAL_API_VERSION: since}


def _outputs(live: Properties, inputs: Properties, origin: Properties) -> Properties:
    """What Pulumi keeps of a live object, with everything a secret that is one in the inputs."""
    kept = {key: origin[key] for key in (FIELD_MANAGER, INITIAL_API_VERSION) if key in origin}
    return guard(annotate(_recorded(live), inputs)) | kept | {INPUTS: guard(inputs)}


def _recorded(live: Properties) -> Properties:
    """The live object without what is noise, or, as kubectl's copy of a Secret, a leak."""
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    if LAST_APPLIED in metadata.get("annotations", {}):
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k != LAST_APPLIED}
    return live | {"metadata": metadata}


def _without_server_fields(live: Properties) -> Properties:
    recorded = {key: value for key, value in _recorded(live).items() if key != "status"}
    return recorded | {"metadata": {k: v for k, v in recorded["metadata"].items() if k not in SERVER_METADATA}}


def _described(obj: Properties) -> str:
    return f"{obj['kind']} {object_id(obj['metadata'])}"


def _obstacles(obj: Properties) -> str:
    """Why an object does not go: what its namespace still holds, or whose finalizer it waits for."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    messages = [c["message"] for c in conditions if c.get("status") == "True" and c.get("message")]
    finalizers = obj["metadata"].get("finalizers") or []
    return "; ".join(messages) or (f"finalizers {', '.join(finalizers)}" if finalizers else "no reason given")
