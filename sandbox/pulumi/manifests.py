"""Kubernetes manifests as YAML text, and the order in which a bundle of them must be made. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import yaml

from sandbox.pulumi.names import group_of
from sandbox.pulumi.values import without_nulls

__all__ = ["Manifest", "crd_scopes", "needs", "parse"]

Manifest: TypeAlias = dict[str, Any]

LAST: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""A webhook that is registered before what answers it blocks everything else."""


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: `2026-11-24` is a text, no date."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def parse(text: str) -> list[Manifest]:
    """The objects in a YAML text, lists taken apart."""
    documents = yaml.load_all(text, Loader=_Loader)
    return [without_nulls(_as_json(obj)) for document in documents if document for obj in _members(document)]


def _as_json(value: Any) -> Any:
    """The value with all keys as texts, as JSON has them: YAML reads `1:` as a number and `on:` as true."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value


def _members(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if document.get("kind", "").endswith("List") and "items" in document:
        yield from document["items"]
    else:
        yield document


def crd_scopes(objects: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """Whether objects are namespaced, for each group and kind that is defined in the bundle itself."""
    return {_defines(obj): obj["spec"]["scope"] == "Namespaced" for obj in objects if _is_definition(obj)}


def _is_definition(obj: Mapping[str, Any]) -> bool:
    return obj["kind"] == "CustomResourceDefinition" and isinstance(obj.get("spec"), Mapping)


def _defines(obj: Mapping[str, Any]) -> tuple[str, str]:
    return obj["spec"]["group"], obj["spec"]["names"]["kind"]


def needs(obj: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> list[int]:
    """Which of the others must be there first: its namespace, its definition; for a webhook all but webhooks."""
    if obj["kind"] in LAST:
        return [index for index, other in enumerate(others) if other["kind"] not in LAST]
    return [index for index, other in enumerate(others) if _carries(other, obj)]


def _carries(other: Mapping[str, Any], obj: Mapping[str, Any]) -> bool:
    if other["kind"] == "Namespace":
        return bool(other["metadata"]["name"] == obj["metadata"].get("namespace"))
    if _is_definition(other):
        return _defines(other) == (group_of(obj["apiVersion"]), obj["kind"])
    return False
