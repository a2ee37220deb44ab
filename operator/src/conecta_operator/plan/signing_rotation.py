"""How the issuer comes to sign with another key, while no token that it has issued or will issue is refused.

A key is published first, and used when the gateway knows it everywhere. The one before it stays published until the
last token that it signed has expired (RFC 7517 sets, told apart by `kid`). A key's id says when it was made.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

__all__ = ["key_id", "knows", "outlived", "to_go_on_with"]

_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_STAYS_FRESH: Final = timedelta(minutes=30)
"""A key that was published longer ago is not put in use any more: its id would say nothing of when that was."""
_TOKENS_LIVE: Final = timedelta(hours=2)
_OUTLIVED: Final = _TOKENS_LIVE + timedelta(hours=1)
"""After its successor was made. The hour is for bringing that into use, and for clocks that differ."""

Jwk = Mapping[str, Any]


def key_id(now: datetime) -> str:
    """The `kid` of a key that is made now."""
    return now.strftime(_FORMAT)


def knows(jwks: str, kid: str) -> bool:
    """Whether a published JWKS (JSON text) has the key."""
    return kid in [key.get("kid") for key in json.loads(jwks)["keys"]]


def to_go_on_with(published: Sequence[Jwk], signing: Sequence[Jwk], now: datetime) -> Jwk | None:
    """The key of a rotation that was ended halfway a short while ago: published, and not in use yet."""
    in_use = {key.get("kid") for key in signing}
    for key in reversed(published):
        made = _made(key)
        if made is not None and key["kid"] not in in_use and now - made < _STAYS_FRESH:
            return key
    return None


def outlived(signing: Sequence[Jwk], now: datetime) -> tuple[str, ...]:
    """The ids of keys (oldest first, the last in use) whose tokens have all expired.

    A key signed until its successor was put in use. What has no date for an id leaves open when that was.
    """
    made = ((str(key.get("kid")), _made(successor)) for key, successor in pairwise(signing))
    return tuple(kid for kid, ended in made if ended is not None and now - ended > _OUTLIVED)


def _made(key: Jwk) -> datetime | None:
    try:
        return datetime.strptime(f"{key.get('kid')}+0000", f"{_FORMAT}%z")
    except ValueError:
        return None
