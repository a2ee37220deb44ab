"""Variations of a manifest, for rows that differ from it in one point."""

import copy
from typing import Any, Final

from conecta_operator.api.objects import Manifest

__all__ = ["ABSENT", "CONTACT", "WRONG_CONTACTS", "but"]

ABSENT: Final = object()
"""Instead of a value: the field is left out."""
CONTACT: Final = {"name": "Dados", "email": "dados@receita.example"}
WRONG_CONTACTS: Final = (
    ("name", "", "an empty name"),
    ("name", "N" * 101, "a name of 101 characters"),
    ("email", "receita.example", "an address without @"),
    ("email", "a b@receita.example", "an address with a space"),
    ("email", "d" * 239 + "@receita.example", "an address of 255 characters"),
    ("phone", "", "an empty telephone number"),
    ("phone", "6" * 41, "a telephone number of 41 characters"),
)
"""Field, value, and what is wrong with it."""


def but(base: Manifest, changes: dict[str, Any]) -> Manifest:
    """A copy of the manifest with other values at these dotted paths."""
    manifest = copy.deepcopy(base)
    for path, value in changes.items():
        *way, last = path.split(".")
        place: Any = manifest
        for step in way:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
    return manifest
