"""How Pulumi names Kubernetes objects: type tokens, ids, names made up, names of a component's children. Pure."""

from collections.abc import Mapping
from typing import Any

__all__ = ["AUTONAMED", "autoname", "child_name", "group_of", "object_id", "split_id", "token_of", "type_of"]

AUTONAMED = "pulumi.com/autonamed"
"""Annotation of an object whose name was made up here, and may be made up anew when it is replaced."""


def token_of(api_version: str, kind: str) -> str:
    """Pulumi's type token of a kind: `kubernetes:core/v1:Secret`."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def type_of(token: str) -> tuple[str, str]:
    """The apiVersion and kind that a type token stands for."""
    _, api_version, kind = token.split(":")
    return api_version.removeprefix("core/"), kind


def group_of(api_version: str) -> str:
    """The API group; empty for the core group."""
    return api_version.rpartition("/")[0]


def object_id(metadata: Mapping[str, Any]) -> str:
    """Pulumi's id of an object: `namespace/name`, or `name` where there are no namespaces."""
    namespace, name = metadata.get("namespace"), str(metadata["name"])
    return f"{namespace}/{name}" if namespace else name


def split_id(identifier: str) -> dict[str, str]:
    """The metadata that an id stands for."""
    namespace, _, name = identifier.rpartition("/")
    return {"namespace": namespace, "name": name} if namespace else {"name": name}


def autoname(resource_name: str, seed: bytes) -> str:
    """A name for an object whose author gave none; the same seed gives the same name."""
    return f"{resource_name}-{seed.hex()[:8]}"


def child_name(prefix: str, metadata: Mapping[str, Any]) -> str:
    """The logical name of an object that a component makes."""
    return f"{prefix}:{object_id(metadata)}"
