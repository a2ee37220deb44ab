"""The custom resource definitions, as `charts/conecta-crds` has them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import yaml

from infra.layer import Layer

__all__ = ["Definitions", "DefinitionsArgs"]


@dataclass(frozen=True, kw_only=True)
class DefinitionsArgs:
    """`folder` holds one definition a file."""

    folder: Path
    protect: bool


class Definitions(Layer):
    """The kinds that agencies write. A definition that goes takes everything of its kind with it."""

    def __init__(self, name: str, args: DefinitionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:definitions:Definitions", name, None, opts)
        for manifest in _manifests(args.folder):
            k8s.apiextensions.v1.CustomResourceDefinition(
                manifest["metadata"]["name"],
                metadata=manifest["metadata"],
                spec=manifest["spec"],
                opts=self._child(protect=args.protect or None, retain=args.protect or None),
            )
        self.register_outputs({})


def _manifests(folder: Path) -> list[dict[str, Any]]:
    manifests = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.yaml"))]
    if not manifests:
        raise pulumi.RunError(f"{folder} holds no definitions")
    return manifests
