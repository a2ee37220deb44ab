"""Whose a namespace is."""

from dataclasses import dataclass
from typing import Final

from conecta_operator.api.objects import GROUP, Manifest

__all__ = [
    "AGENCY_LABEL",
    "AGENCY_NAME_ANNOTATION",
    "CNPJ_LABEL",
    "SIORG_LABEL",
    "SUSPENDED_LABEL",
    "Agency",
    "agency_of",
]

AGENCY_LABEL: Final = f"{GROUP}/agency"
SIORG_LABEL: Final = f"{GROUP}/siorg"
CNPJ_LABEL: Final = f"{GROUP}/cnpj"
AGENCY_NAME_ANNOTATION: Final = f"{GROUP}/agency-name"
SUSPENDED_LABEL: Final = f"{GROUP}/suspended"
"""Stops every grant of the namespace. Any value but `false` does: a stop that is misspelt must not be one missed."""


@dataclass(frozen=True, kw_only=True)
class Agency:
    """A tenant of the platform (Portuguese: órgão), registered by the platform team on each of its namespaces."""

    slug: str
    """Short name that client ids start with, such as `receita`."""
    name: str
    """For people, such as `Receita Federal`; the slug when none is registered."""
    cnpj: str
    """Number in the national registry of legal entities: 14 characters, letters too since 2026. May be empty."""
    siorg: str
    """Code in SIORG, the federal registry of public bodies. May be empty."""
    suspended: bool = False
    """Whether the platform team has stopped all grants of this namespace."""


def agency_of(namespace: Manifest) -> Agency | None:
    """The agency that a Namespace object belongs to, None when it belongs to none."""
    labels = namespace["metadata"].get("labels") or {}
    annotations = namespace["metadata"].get("annotations") or {}
    slug = labels.get(AGENCY_LABEL)
    if not slug:
        return None
    return Agency(
        slug=slug,
        name=annotations.get(AGENCY_NAME_ANNOTATION) or slug,
        cnpj=labels.get(CNPJ_LABEL, ""),
        siorg=labels.get(SIORG_LABEL, ""),
        suspended=labels.get(SUSPENDED_LABEL, "false").lower() != "false",
    )
