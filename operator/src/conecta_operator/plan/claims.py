"""Who holds a base path when several APIs claim it: the oldest, as in Gateway API's conflict resolution.

Ages are whole seconds. Among those of one second, who was told that it has the path keeps it.
"""

from collections.abc import Iterable
from datetime import datetime

from conecta_operator.api.conditions import ConditionStatus, ConditionType
from conecta_operator.api.conecta_api import ConectaApi

__all__ = ["holder"]


def holder(api: ConectaApi, rivals: Iterable[ConectaApi]) -> ConectaApi:
    """The one among an API and its rivals that serves the base path."""
    return min((api, *rivals), key=_seniority)


def _seniority(api: ConectaApi) -> tuple[datetime, bool, str, str]:
    return api.metadata.creation_timestamp, not _is_accepted(api), api.metadata.namespace, api.metadata.name


def _is_accepted(api: ConectaApi) -> bool:
    return any(
        condition.type == ConditionType.ACCEPTED and condition.status is ConditionStatus.TRUE
        for condition in api.status.conditions
    )
