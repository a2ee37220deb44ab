"""What changes between two versions of an object, and which changes need a new object."""

from typing import Any

import pytest
from hypothesis import given

from sandbox.pulumi.diff import Kind, pruned, refreshed, verdict
from sandbox.pulumi.settings import Settings
from tests.unit.sandbox.pulumi.test_values import JSON

MUTABLE = Settings(config_maps_are_mutable=True, secrets_are_mutable=True)
FROZEN = Settings()


def obj(kind: str = "Widget", api_version: str = "example.org/v1", **fields: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "n"} | fields.pop("metadata", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata} | fields


def changed(old: dict[str, Any], new: dict[str, Any], settings: Settings = MUTABLE) -> list[tuple[str, Kind, bool]]:
    return [(str(c), c.kind, c.replaces) for c in verdict(old, new, old, settings).changes]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        pytest.param({"rate": 1}, {"rate": 1}, [], id="nothing"),
        pytest.param({"rate": 1}, {"rate": 2}, [("spec.rate", Kind.UPDATE, False)], id="a field"),
        pytest.param({}, {"rate": 2}, [("spec.rate", Kind.ADD, False)], id="a new field"),
        pytest.param({"rate": 2}, {}, [("spec.rate", Kind.DELETE, False)], id="a field that is gone"),
        pytest.param(
            {"l": [{"a": 1}, 2]},
            {"l": [{"a": 3}]},
            [("spec.l[0].a", Kind.UPDATE, False), ("spec.l[1]", Kind.DELETE, False)],
            id="members of a list",
        ),
        pytest.param({"a": {"b": 1}}, {"a": [1]}, [("spec.a", Kind.UPDATE, False)], id="another type"),
        pytest.param({"a": True}, {"a": 1}, [("spec.a", Kind.UPDATE, False)], id="true is not 1"),
        pytest.param(
            {"x.y/z": 'q"'}, {"x.y/z": "r"}, [('spec["x.y/z"]', Kind.UPDATE, False)], id="a key that needs quotes"
        ),
    ],
)
def test_every_change_is_named_with_its_path(old: Any, new: Any, changes: list[tuple[str, Kind, bool]]) -> None:
    assert changed(obj(spec=old), obj(spec=new)) == changes


@given(JSON)
def test_no_value_differs_from_itself(value: Any) -> None:
    assert changed(obj(spec=value), obj(spec=value)) == []


@pytest.mark.parametrize(
    ("api_version", "kind", "old", "new", "replaces"),
    [
        pytest.param("v1", "Service", {"spec": {"type": "A"}}, {"spec": {"type": "B"}}, True, id="type of a Service"),
        pytest.param("v1", "Service", {"spec": {"ports": [1]}}, {"spec": {"ports": [2]}}, False, id="its ports"),
        pytest.param("apps/v1", "Deployment", {"spec": {"selector": {"a": "b"}}}, {"spec": {}}, True, id="selector"),
        pytest.param(
            "apps/v1", "Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False, id="replicas"
        ),
        pytest.param(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            {"roleRef": {"name": "a"}},
            {"roleRef": {"name": "b"}},
            True,
            id="role of a binding",
        ),
        pytest.param("v1", "Widget", {"roleRef": 1}, {"roleRef": 2}, False, id="other kinds"),
    ],
)
def test_what_the_api_server_never_changes_needs_a_new_object(
    api_version: str, kind: str, old: dict[str, Any], new: dict[str, Any], *, replaces: bool
) -> None:
    found = verdict(obj(kind, api_version, **old), obj(kind, api_version, **new), {}, MUTABLE)

    assert bool(found.replaces) is replaces
    assert found.deletes_first is replaces


def test_another_name_is_another_object_made_before_the_old_one_goes() -> None:
    found = verdict(obj(), obj(metadata={"name": "b"}), {}, MUTABLE)

    assert [str(change) for change in found.replaces] == ["metadata.name"]
    assert not found.deletes_first


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_contents_change_in_place_only_where_they_may(kind: str) -> None:
    old, new = obj(kind, "v1", data={"a": "b"}), obj(kind, "v1", data={"a": "c"})

    assert not verdict(old, new, old, MUTABLE).replaces
    assert verdict(old, new, old, FROZEN).replaces
    assert verdict(old, new, old | {"immutable": True}, MUTABLE).replaces


def test_an_object_with_a_made_up_name_is_replaced_by_one_with_another_name() -> None:
    made_up = {"metadata": {"annotations": {"pulumi.com/autonamed": "true"}}}
    found = verdict(
        obj("ConfigMap", "v1", data={}, **made_up), obj("ConfigMap", "v1", data={"a": "b"}, **made_up), {}, FROZEN
    )

    assert found.replaces
    assert not found.deletes_first


def test_what_becomes_a_secret_is_written_again() -> None:
    found = verdict(obj(spec=1), obj(spec=1), {}, MUTABLE, hidden=["spec"])

    assert [(str(change), change.replaces) for change in found.changes] == [("spec", False)]


def test_an_import_is_compared_only_in_what_the_program_speaks_of() -> None:
    live = {"spec": {"rate": 1, "burst": 5, "rules": [{"a": 1, "default": True}]}, "status": {}}

    assert pruned(live, {"spec": {"rate": 2, "rules": [{"a": 1}], "new": 1}}) == {
        "spec": {"rate": 1, "rules": [{"a": 1}]}
    }


@pytest.mark.parametrize(
    ("applied", "before", "now", "found"),
    [
        pytest.param({"cpu": "1000m"}, {"cpu": "1"}, {"cpu": "1"}, {"cpu": "1000m"}, id="another notation is no drift"),
        pytest.param({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, id="a changed field"),
        pytest.param({"a": 1}, {"a": 1}, {"a": 1, "b": 2}, {"a": 1}, id="a foreign field is none of ours"),
        pytest.param({"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 1}, {"a": 1}, id="a lost field"),
        pytest.param({"w": 1}, {}, {}, {"w": 1}, id="a field that is never shown"),
        pytest.param(
            {"l": [{"a": 1}]},
            {"l": [{"a": 1, "d": 0}]},
            {"l": [{"a": 2, "d": 0}]},
            {"l": [{"a": 2}]},
            id="inside a list with defaults",
        ),
        pytest.param({"l": [1]}, {"l": [1]}, {"l": [1, 2]}, {"l": [1, 2]}, id="a longer list"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": "x"}, {"a": "x"}, id="another type"),
    ],
)
def test_drift_is_what_became_different_in_the_live_object(applied: Any, before: Any, now: Any, found: Any) -> None:
    assert refreshed({"spec": applied}, {"spec": before}, {"spec": now}) == {"spec": found}


def test_drift_in_a_secret_shows_in_the_text_that_was_written() -> None:
    applied = {"stringData": {"same": "a", "changed": "b", "lost": "c", "binary": "d"}}
    before = {"data": {"same": "YQ==", "changed": "Yg==", "lost": "Yw==", "binary": "ZA=="}}
    now = {"data": {"same": "YQ==", "changed": "eA==", "binary": "/w=="}}

    assert refreshed(applied, before, now) == {"stringData": {"same": "a", "changed": "x"}}
