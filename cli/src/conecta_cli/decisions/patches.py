"""JSON merge patches (RFC 7386)."""

from typing import Any

from conecta_operator.api.objects import Manifest

__all__ = ["replacing"]


def replacing(old: Manifest, new: Manifest) -> Manifest:
    """The merge patch that leaves `new` where `old` was; what is the same is not in it."""
    patch: dict[str, Any] = {field: None for field in old if field not in new}
    for field, value in new.items():
        before = old.get(field)
        if isinstance(value, dict) and isinstance(before, dict):
            inner = replacing(before, value)
            if inner:
                patch[field] = inner
        elif value != before:
            patch[field] = value
    return patch
