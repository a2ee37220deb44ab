"""Manifests of ConectaApi and ConectaGrant that follow the rules, and such that break one.

A row is a manifest, what to change in it (for FIXED and FREE a merge patch of an existing object), for refusals the
path of the field at fault, and what it is in words.
"""

from typing import Final

from tests.support import api_refusals, api_rows, grant_rows, network_rows
from tests.support.api_rows import API
from tests.support.changes import but
from tests.support.grant_rows import GRANT

__all__ = ["ACCEPTED", "API", "FIXED", "FREE", "GRANT", "REFUSED", "but"]

ACCEPTED: Final = [*api_rows.ACCEPTED, *grant_rows.ACCEPTED, *network_rows.ACCEPTED]
REFUSED: Final = [*api_refusals.REFUSED, *grant_rows.REFUSED, *network_rows.REFUSED]
FIXED: Final = [*api_rows.FIXED, *grant_rows.FIXED]
FREE: Final = [*api_rows.FREE, *grant_rows.FREE, *network_rows.FREE]
