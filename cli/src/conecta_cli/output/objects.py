"""Objects as kubectl prints them: JSON, YAML, or only their names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from conecta_cli.output.formats import Output
from conecta_operator.api.objects import CONECTA_GRANT, Manifest

__all__ = ["listed", "name_of", "value", "written"]


def written(manifest: Manifest, output: Output) -> str:
    """One object."""
    return name_of(manifest) if output is Output.NAME else value(_presentable(manifest), output)


def listed(manifests: Sequence[Manifest], output: Output) -> str:
    """Many objects: a List, or a line for each."""
    if output is Output.NAME:
        return "\n".join(map(name_of, manifests))
    items = [_presentable(manifest) for manifest in manifests]
    return value({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}, output)


def value(content: Mapping[str, Any], output: Output) -> str:
    """Any value as JSON or YAML."""
    if output is Output.JSON:
        return json.dumps(content, indent=4, sort_keys=True, ensure_ascii=False)
    return yaml.safe_dump(dict(content), sort_keys=True, allow_unicode=True).rstrip("\n")


def name_of(manifest: Manifest) -> str:
    """As kubectl names it: kind, group, and name."""
    return f"{CONECTA_GRANT.name.lower()}.{CONECTA_GRANT.group}/{manifest['metadata']['name']}"


def _presentable(manifest: Manifest) -> Manifest:
    metadata = {field: part for field, part in manifest["metadata"].items() if field != "managedFields"}
    return {**manifest, "metadata": metadata}
