"""The provider's arguments, as Pulumi sends them, made plain. Pure.

They come as JSON in strings (`"enablePatchForce": "true"`). What the stand-in can't do as the official provider does
is refused here, before anything happens.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from sandbox.pulumi.values import strip

__all__ = ["Settings", "problems"]

PREFIX: Final = "kubernetes:config:"

UNSUPPORTED: Final = {
    "renderYamlToDirectory": "has no render mode",
    "cluster": "chooses the cluster by `context` only",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to reach the cluster, and how bold to be there."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    cluster_identifier: str | None = None
    force: bool = False
    upsert: bool = False
    config_maps_are_mutable: bool = False
    secrets_are_mutable: bool = False

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """The settings that the arguments ask for; defaults are those of the official provider."""
        plain = _plain(arguments)
        return cls(
            kubeconfig=_text(plain, "kubeconfig"),
            context=_text(plain, "context"),
            namespace=_text(plain, "namespace"),
            cluster_identifier=_text(plain, "clusterIdentifier"),
            force=_flag(plain, "enablePatchForce"),
            upsert=_flag(plain, "upsertExistingObjects"),
            config_maps_are_mutable=_flag(plain, "enableConfigMapMutable"),
            secrets_are_mutable=_flag(plain, "enableSecretMutable"),
        )


def problems(arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the arguments: property and reason."""
    plain = _plain(arguments)
    found = [
        (name, f"the stand-in provider {reason}; use the official one for `{name}`")
        for name, reason in UNSUPPORTED.items()
        if plain.get(name)
    ]
    if not _flag(plain, "enableServerSideApply", default=True):
        found.append(("enableServerSideApply", "the stand-in provider knows server-side apply only"))
    return found


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(PREFIX): strip(value) for key, value in arguments.items()}


def _text(plain: Mapping[str, Any], name: str) -> str | None:
    return str(plain[name]) if plain.get(name) else None


def _flag(plain: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = plain.get(name, default)
    return bool(json.loads(value.lower())) if isinstance(value, str) and value else bool(value)
