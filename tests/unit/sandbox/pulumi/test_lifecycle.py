"""The life of one object, with an API server of a few lines."""

import threading
from collections.abc import Mapping
from typing import Any, cast

import pytest
from pulumi.runtime.rpc import wrap_rpc_secret as secret

from sandbox.pulumi.lifecycle import Halfway, Lifecycle
from sandbox.pulumi.rest import ApiError, Cluster, ClusterError, Endpoint, NotServed
from sandbox.pulumi.settings import Settings
from sandbox.pulumi.values import UNKNOWN

SCOPES = {"ConfigMap": True, "Secret": True, "Widget": True, "Namespace": False}
BOLD = Settings(force=True, upsert=True)


class FewLines:
    """As much of an API server as one object needs."""

    namespace = "default"

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.refusal: ApiError | None = None
        self.unknown_kinds: set[str] = set()
        self.additions: dict[str, Any] = {}

    def find(self, api_version: str, kind: str) -> Endpoint:
        if kind in self.unknown_kinds:
            raise NotServed(f"the API server does not serve {kind} of {api_version}")
        return Endpoint("/api/v1", kind.lower(), SCOPES[kind])

    def apply(self, obj: dict[str, Any], *, manager: str, force: bool, dry_run: bool) -> dict[str, Any]:
        self.find(obj["apiVersion"], obj["kind"])
        if self.refusal:
            raise self.refusal
        assert force
        metadata = obj["metadata"] | {"uid": "u", "managedFields": [{"manager": manager}]}
        live = obj | self.additions | {"metadata": metadata}
        if not dry_run:
            self.objects[obj["kind"], obj["metadata"]["name"]] = live
        return live

    def get(self, api_version: str, kind: str, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
        assert api_version
        return self.objects.get((kind, metadata["name"]))

    def delete(self, obj: dict[str, Any], *, propagation: str) -> None:
        assert propagation == "Background"
        if "finalizers" not in obj["metadata"]:
            del self.objects[obj["kind"], obj["metadata"]["name"]]


@pytest.fixture
def server() -> FewLines:
    return FewLines()


@pytest.fixture
def cancelled() -> threading.Event:
    """Nobody waits in these tests: whatever isn't there at once is given up."""
    event = threading.Event()
    event.set()
    return event


@pytest.fixture
def lifecycle(server: FewLines, cancelled: threading.Event) -> Lifecycle:
    return Lifecycle(BOLD, lambda: cast(Cluster, server), cancelled)


def obj(kind: str = "ConfigMap", *, annotations: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    notes = {"annotations": annotations} if annotations else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "namespace": "n"} | notes} | fields


def checked(lifecycle: Lifecycle, inputs: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    return lifecycle.check(f"kubernetes:core/v1:{inputs['kind']}", "logical", olds or {}, inputs, b"\x01\x02\x03\x04")


def test_an_object_without_a_name_gets_one_and_keeps_it(lifecycle: Lifecycle) -> None:
    nameless = {"apiVersion": "v1", "kind": "ConfigMap"}
    first = checked(lifecycle, nameless)

    assert first["metadata"] == {
        "name": "logical-01020304",
        "namespace": "default",
        "annotations": {"pulumi.com/autonamed": "true"},
    }
    again = lifecycle.check("kubernetes:core/v1:ConfigMap", "logical", first, nameless, b"\x09\x09\x09\x09")
    assert again == first


def test_the_namespace_is_filled_in_where_there_are_namespaces_and_taken_out_where_not(lifecycle: Lifecycle) -> None:
    assert checked(lifecycle, obj("ConfigMap", metadata={"name": "a"}))["metadata"]["namespace"] == "default"
    assert "namespace" not in checked(lifecycle, obj("Namespace"))["metadata"]


def test_the_namespace_that_was_left_open_while_the_kind_was_unknown_stays_open(
    lifecycle: Lifecycle, server: FewLines
) -> None:
    """Else the second run would take the object for another one."""
    server.unknown_kinds = {"Widget"}
    first = checked(lifecycle, obj("Widget", metadata={"name": "a"}))
    server.unknown_kinds = set()

    assert checked(lifecycle, obj("Widget", metadata={"name": "a"}), first) == first


@pytest.mark.parametrize(
    ("token", "inputs", "problem"),
    [
        pytest.param("kubernetes:core/v1:ConfigMapPatch", obj(), "no Patch resources", id="patch"),
        pytest.param("kubernetes:core/v1:ConfigMap", {"kind": "ConfigMap"}, "apiVersion and kind", id="no apiVersion"),
        pytest.param(
            "kubernetes:core/v1:ConfigMap", obj(metadata={"generateName": "a-"}), "generateName", id="generateName"
        ),
    ],
)
def test_what_the_stand_in_does_not_know_is_refused(
    lifecycle: Lifecycle, token: str, inputs: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ClusterError, match=problem):
        lifecycle.check(token, "logical", {}, inputs, b"seed")


def test_what_is_created_is_kept_live_without_noise_and_with_what_was_applied(lifecycle: Lifecycle) -> None:
    state = lifecycle.create("urn", obj(data={"k": "v"}), timeout=0, preview=False)
    manager = state.outputs.pop("__fieldManager")

    assert state.id == "n/a"
    assert manager.startswith("pulumi-kubernetes-")
    assert state.outputs == obj(data={"k": "v"}) | {
        "metadata": {"name": "a", "namespace": "n", "uid": "u"},
        "__inputs": obj(data={"k": "v"}),
        "__initialApiVersion": "v1",
    }


def test_a_secret_is_applied_in_clear_and_kept_as_a_secret(lifecycle: Lifecycle, server: FewLines) -> None:
    inputs = checked(lifecycle, obj("Secret", stringData={"token": "hunter2"}))
    state = lifecycle.create("urn", inputs, timeout=0, preview=False)

    assert server.objects["Secret", "a"]["data"] == {"token": "aHVudGVyMg=="}
    assert state.outputs["data"] == secret({"token": "aHVudGVyMg=="})
    assert state.outputs["__inputs"]["stringData"] == secret({"token": "hunter2"})


def test_kubectls_copy_of_a_secret_is_not_kept(lifecycle: Lifecycle, server: FewLines) -> None:
    copy = {"kubectl.kubernetes.io/last-applied-configuration": "aHVudGVyMg=="}
    server.objects["Secret", "a"] = obj("Secret", annotations=copy, data={"token": "aHVudGVyMg=="})
    state = lifecycle.read("n/a", "kubernetes:core/v1:Secret", {}, {})

    assert state is not None
    assert "last-applied" not in str(state.outputs) + str(state.inputs)


def test_without_upsert_an_existing_object_is_nobodys_to_take(server: FewLines, cancelled: threading.Event) -> None:
    careful = Lifecycle(Settings(force=True), lambda: cast(Cluster, server), cancelled)
    careful.create("urn", obj(), timeout=0, preview=False)

    with pytest.raises(ClusterError, match="already exists"):
        careful.create("urn", obj(), timeout=0, preview=False)


@pytest.mark.parametrize(
    "status", [pytest.param(403, id="no right to try"), pytest.param(404, id="namespace made in the same run")]
)
def test_a_preview_shows_the_inputs_where_nothing_can_be_tried(
    lifecycle: Lifecycle, server: FewLines, status: int
) -> None:
    server.refusal = ApiError(status, "no")

    assert lifecycle.create("urn", obj(), timeout=0, preview=True).outputs == obj() | {"__inputs": obj()}


def test_a_preview_shows_the_inputs_of_a_kind_that_is_made_in_the_same_run(
    lifecycle: Lifecycle, server: FewLines
) -> None:
    server.unknown_kinds = {"Widget"}

    assert lifecycle.create("urn", obj("Widget"), timeout=0, preview=True).outputs["kind"] == "Widget"


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(ApiError(422, "spec.rate: Invalid value: 0"), id="schema"),
        pytest.param(ApiError(403, 'admission webhook "w" denied the request: no'), id="admission"),
    ],
)
def test_a_preview_shows_why_the_api_server_would_refuse(
    lifecycle: Lifecycle, server: FewLines, refusal: ApiError
) -> None:
    server.refusal = refusal

    with pytest.raises(ApiError, match=str(refusal)):
        lifecycle.create("urn", obj(), timeout=0, preview=True)


def test_a_preview_tries_nothing_with_values_that_only_a_real_run_knows(lifecycle: Lifecycle, server: FewLines) -> None:
    server.refusal = ApiError(422, "must not be asked")
    inputs = obj(data={"k": UNKNOWN})

    assert lifecycle.create("urn", inputs, timeout=0, preview=True).outputs["data"] == {"k": UNKNOWN}
    assert lifecycle.update({}, inputs, timeout=0, preview=True).outputs["data"] == {"k": UNKNOWN}


def test_a_preview_does_not_try_the_new_object_on_the_old_one_that_goes_first(
    server: FewLines, cancelled: threading.Event
) -> None:
    careful = Lifecycle(Settings(), lambda: cast(Cluster, server), cancelled)
    server.refusal = ApiError(422, "field is immutable")
    olds = obj(data={"k": "v"}) | {"__inputs": obj(data={"k": "v"})}
    wanted = obj(data={"k": "w"})

    assert careful.diff("urn", olds, wanted).deletes_first
    assert careful.create("urn", wanted, timeout=0, preview=True).outputs["data"] == {"k": "w"}


def test_an_object_that_does_not_become_ready_is_kept_with_the_reason(lifecycle: Lifecycle) -> None:
    waiting = obj(annotations={"pulumi.com/waitFor": "jsonpath={.data.ready}"})

    with pytest.raises(Halfway) as halfway:
        lifecycle.create("urn", waiting, timeout=1, preview=False)
    assert halfway.value.state.id == "n/a"
    assert halfway.value.reasons == [".data.ready is not there"]


def test_an_update_goes_on_under_the_manager_that_created(lifecycle: Lifecycle, server: FewLines) -> None:
    created = lifecycle.create("urn", obj(data={"k": "v"}), timeout=0, preview=False)
    updated = lifecycle.update(created.outputs, obj(data={"k": "w"}), timeout=0, preview=False)

    assert updated.outputs["__fieldManager"] == created.outputs["__fieldManager"]
    assert server.objects["ConfigMap", "a"]["data"] == {"k": "w"}


def test_drift_is_read_into_the_inputs_and_so_becomes_a_change(lifecycle: Lifecycle, server: FewLines) -> None:
    wanted = obj(data={"k": "v"})
    created = lifecycle.create("urn", wanted, timeout=0, preview=False)
    server.objects["ConfigMap", "a"]["data"] = {"k": "drifted"}
    found = lifecycle.read("n/a", "kubernetes:core/v1:ConfigMap", created.outputs, wanted)

    assert found is not None
    assert found.inputs["data"] == {"k": "drifted"}
    assert [str(change) for change in lifecycle.diff("urn", found.outputs, wanted).changes] == ["data.k"]
    assert lifecycle.diff("urn", created.outputs, wanted).changes == ()


def test_a_secret_that_was_none_before_is_a_change(lifecycle: Lifecycle) -> None:
    created = lifecycle.create("urn", obj(data={"k": "v"}), timeout=0, preview=False)

    assert [str(c) for c in lifecycle.diff("urn", created.outputs, obj(data={"k": secret("v")})).changes] == ["data"]


def test_an_imported_object_equals_a_program_that_speaks_of_less(lifecycle: Lifecycle, server: FewLines) -> None:
    server.objects["ConfigMap", "a"] = obj(data={"k": "v", "more": "x"})
    imported = lifecycle.read("n/a", "kubernetes:core/v1:ConfigMap", {}, {})

    assert imported is not None
    assert imported.inputs == obj(data={"k": "v", "more": "x"})
    assert lifecycle.diff("urn", imported.outputs, obj(data={"k": "v"})).changes == ()


def test_what_is_gone_is_read_as_gone_and_deleted_without_complaint(lifecycle: Lifecycle, server: FewLines) -> None:
    created = lifecycle.create("urn", obj(), timeout=0, preview=False)
    lifecycle.delete(created.outputs, timeout=0)

    assert server.objects == {}
    assert lifecycle.read("n/a", "kubernetes:core/v1:ConfigMap", created.outputs, obj()) is None
    lifecycle.delete(created.outputs, timeout=0)


def test_a_deletion_that_hangs_says_what_it_waits_for(lifecycle: Lifecycle, server: FewLines) -> None:
    created = lifecycle.create("urn", obj(), timeout=0, preview=False)
    server.objects["ConfigMap", "a"]["metadata"]["finalizers"] = ["example.org/hold"]

    with pytest.raises(ClusterError, match=r"^ConfigMap n/a is still being deleted: finalizers example\.org/hold$"):
        lifecycle.delete(created.outputs, timeout=1)
