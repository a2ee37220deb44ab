"""What the watches have seen: fast, complete, and a little late.

Good for finding out whom a change concerns. Whatever a decision rests on is read live by `gather`, because an index can
hold ghosts: objects that were deleted while a watch was interrupted.
"""

from collections.abc import Iterable
from typing import Protocol

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import ObjectKey
from conecta_operator.plan.grants_seen import GrantSeen

__all__ = ["Landscape"]


class Landscape(Protocol):
    """A read-only view. Each question costs as much as its answer is long, never a walk over all objects."""

    def apis(self) -> Iterable[ConectaApi]:
        """All APIs."""

    def grants(self) -> Iterable[GrantSeen]:
        """All grants."""

    def apis_in(self, namespace: str) -> Iterable[ConectaApi]:
        """The APIs of one namespace."""

    def apis_claiming(self, base_path: str) -> Iterable[ConectaApi]:
        """The APIs of any namespace that claim a base path."""

    def grants_in(self, namespace: str) -> Iterable[GrantSeen]:
        """The grants of one namespace."""

    def grants_of(self, api: ObjectKey) -> Iterable[GrantSeen]:
        """The grants, of any namespace, that name an API."""
