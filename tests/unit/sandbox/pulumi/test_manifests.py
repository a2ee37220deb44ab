"""Manifests as text, and what needs what."""

from typing import Any

from sandbox.pulumi.manifests import crd_scopes, needs, parse

CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {"group": "example.org", "scope": "Cluster", "names": {"kind": "Widget"}},
}


def obj(kind: str, name: str = "a", namespace: str | None = None, api_version: str = "v1") -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name} | place}


def test_documents_and_lists_are_taken_apart_and_empty_ones_left_out() -> None:
    text = "---\n# nothing\n---\n{kind: A}\n---\n{kind: BList, items: [{kind: B}, {kind: C}]}\n"

    assert parse(text) == [{"kind": "A"}, {"kind": "B"}, {"kind": "C"}]


def test_yaml_is_read_as_kubernetes_reads_it() -> None:
    text = "{kind: A, day: 2026-11-24, stamp: 2026-11-24T08:00:00Z, 2: two, on: yes, gone: null}"

    assert parse(text) == [
        {"kind": "A", "day": "2026-11-24", "stamp": "2026-11-24T08:00:00Z", "2": "two", "true": True}
    ]


def test_scopes_are_known_from_definitions_of_the_same_bundle() -> None:
    assert crd_scopes([CRD, obj("Secret")]) == {("example.org", "Widget"): False}


def test_an_object_needs_its_namespace_and_its_definition() -> None:
    bundle = [obj("Namespace", "n"), obj("Namespace", "other"), CRD]

    assert needs(obj("Widget", namespace="n", api_version="example.org/v1"), bundle) == [0, 2]
    assert needs(obj("Secret", namespace="elsewhere"), bundle) == []


def test_a_webhook_comes_after_all_that_is_none() -> None:
    bundle = [obj("Service"), obj("MutatingWebhookConfiguration"), CRD]

    assert needs(obj("ValidatingWebhookConfiguration"), bundle) == [0, 2]
