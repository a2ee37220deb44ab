"""What must be written so that an object becomes what it ought to be: nothing, when it is so already."""

from typing import Any, Final

from conecta_operator.api.objects import Manifest
from conecta_operator.plan.plans import WriteObject

__all__ = ["ROUTE_METADATA", "write_if_different"]

ROUTE_METADATA: Final = "gateway.envoyproxy.io/"
"""Annotations that Envoy Gateway hands to Envoy begin so: they are part of what an object does."""

_COMPARED_APART: Final = {"metadata", "status", "apiVersion", "kind"}


def write_if_different(wanted: Manifest, live: Manifest | None) -> tuple[WriteObject, ...]:
    """One write or none.

    The body (spec, data, type) is compared exactly, so that a field added by hand goes away too. Labels and annotations
    that others added stay, ours are there; of annotations that Envoy acts on, there are none but ours.
    """
    if live is None:
        return (WriteObject(wanted, over=None),)
    replacement = _over(wanted, live)
    if _body(replacement) == _body(live) and replacement["metadata"] == live["metadata"]:
        return ()
    return (WriteObject(replacement, over=live),)


def _body(manifest: Manifest) -> Manifest:
    return {field: value for field, value in manifest.items() if field not in _COMPARED_APART}


def _over(wanted: Manifest, live: Manifest) -> Manifest:
    metadata: dict[str, Any] = {
        **live["metadata"],
        "labels": {**(live["metadata"].get("labels") or {}), **wanted["metadata"]["labels"]},
        "ownerReferences": wanted["metadata"]["ownerReferences"],
    }
    if not metadata["ownerReferences"]:
        del metadata["ownerReferences"]
    annotations = _annotations(wanted, live)
    if annotations or "annotations" in metadata:
        metadata["annotations"] = annotations
    return {**wanted, "metadata": metadata}


def _annotations(wanted: Manifest, live: Manifest) -> dict[str, str]:
    others = {
        name: value
        for name, value in (live["metadata"].get("annotations") or {}).items()
        if not name.startswith(ROUTE_METADATA)
    }
    return {**others, **(wanted["metadata"].get("annotations") or {})}
