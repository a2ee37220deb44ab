"""Keys whose grant does not exist (any more): what is left when somebody takes a grant's finalizer off by force."""

from collections.abc import Collection, Iterable
from datetime import datetime

from conecta_operator.api.conecta_api import MOST_REVOKED_KEYS, ConectaApi
from conecta_operator.api.keys import Key
from conecta_operator.api.objects import Manifest
from conecta_operator.api.settings import Platform
from conecta_operator.plan import naming
from conecta_operator.plan.plans import DenyKeys, RemoveKey
from conecta_operator.plan.revocation import last_token_expires

__all__ = ["end_of", "orphans"]


def orphans(keys: Iterable[Key], grants: Collection[str]) -> tuple[Key, ...]:
    """Those keys that belong to none of these grants, which are given by their uids.

    Keys that were listed before the grants were: so one that is issued meanwhile isn't mistaken for an orphan.
    """
    return tuple(key for key in keys if key.grant_uid not in grants)


def end_of(key: Key, api: Manifest | None, platform: Platform, now: datetime) -> tuple[DenyKeys | RemoveKey, ...]:
    """What ends such a key: its tokens are refused by the API that it was for, if that is still there, and it goes."""
    return *_denial(key, api, platform, now), RemoveKey(key.client_id)


def _denial(key: Key, api: Manifest | None, platform: Platform, now: datetime) -> tuple[DenyKeys, ...]:
    if api is None:
        return ()
    parsed = ConectaApi.parse(api)
    listed = {entry.client_id for entry in parsed.status.revoked_keys}
    opens = {*naming.scopes_demanded(parsed)} <= {*key.scopes}
    if not opens or key.client_id in listed or len(listed) >= MOST_REVOKED_KEYS:
        return ()
    return (DenyKeys(api, {key.client_id: last_token_expires(platform, now)}),)
