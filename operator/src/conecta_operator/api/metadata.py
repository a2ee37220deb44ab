"""The part of a Kubernetes object that is the same for every kind."""

from typing import Self

from pydantic import AwareDatetime, Field

from conecta_operator.api.fields import Reported
from conecta_operator.api.objects import Manifest

__all__ = ["Metadata"]


class Metadata(Reported):
    """What the operator reads of `metadata` (meaning: Kubernetes API conventions, section Metadata)."""

    name: str
    namespace: str = ""
    """Empty for cluster-scoped kinds."""
    uid: str
    """Tells an object from a later one of the same name."""
    generation: int = 0
    """Counts changes of spec, from 1; 0 for kinds that don't count."""
    resource_version: str
    """Changes with every write; only equality means something."""
    creation_timestamp: AwareDatetime
    deletion_timestamp: AwareDatetime | None = None
    """Since when the object is being deleted: it stays until its finalizers are gone. None for a living one."""
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def parse(cls, manifest: Manifest) -> Self:
        """The metadata of an object as the API server returns it."""
        return cls.model_validate(manifest["metadata"])
