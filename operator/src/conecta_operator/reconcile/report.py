"""Tells users: one write of the status, none when it says so already, and an Event when something happened."""

import logging
from dataclasses import dataclass

from conecta_operator.api.objects import Manifest, key_of
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import OperatorError
from conecta_operator.reconcile.news import news

__all__ = ["Report", "patched"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """Writes statuses. Raises what `Cluster.patch_status` raises."""

    cluster: Cluster

    async def __call__(self, subject: Manifest, patch: Manifest) -> None:
        """Make the subject's status say what the JSON merge patch says."""
        before = subject.get("status") or {}
        after = patched(before, patch)
        if after == before:
            return
        await self.cluster.patch_status(subject, patch)
        await self._announce(subject, before, after)

    async def _announce(self, subject: Manifest, before: Manifest, after: Manifest) -> None:
        happened = news(before, after)
        if happened is None:
            return
        try:
            await self.cluster.record_event(
                subject, type_=happened.type_, reason=happened.reason, message=happened.message
            )
        except OperatorError as error:
            # The status has been written and says the same; an Event that is lost isn't worth another attempt.
            logger.warning("no event for %s: %s", key_of(subject), error)


def patched(document: Manifest, patch: Manifest) -> Manifest:
    """The document after a JSON merge patch (RFC 7386)."""
    result = dict(document)
    for field, value in patch.items():
        if value is None:
            result.pop(field, None)
        elif isinstance(value, dict):
            previous = result.get(field)
            result[field] = patched(previous if isinstance(previous, dict) else {}, value)
        else:
            result[field] = value
    return result
