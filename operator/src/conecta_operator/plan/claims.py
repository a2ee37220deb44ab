"""Who holds a base path when several APIs claim it: the oldest, as in Gateway API's conflict resolution."""

from collections.abc import Iterable
from datetime import datetime

from conecta_operator.api.conecta_api import ConectaApi

__all__ = ["holder"]


def holder(api: ConectaApi, rivals: Iterable[ConectaApi]) -> ConectaApi:
    """The one among an API and its rivals that serves the base path: by age, then by namespace and name."""
    return min((api, *rivals), key=_seniority)


def _seniority(api: ConectaApi) -> tuple[datetime, str, str]:
    return api.metadata.creation_timestamp, api.metadata.namespace, api.metadata.name
