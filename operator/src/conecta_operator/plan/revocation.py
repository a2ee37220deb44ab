"""Taking access away: tokens are refused first, then no new ones are issued, then client and Secret go.

The order matters: a client that is deleted first would leave tokens that open the API until they expire. So it sleeps
until the gateway has taken the refusal over, however long that takes.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from conecta_operator.api.conditions import ConditionStatus, ConditionType
from conecta_operator.api.conecta_api import MOST_REVOKED_KEYS
from conecta_operator.api.objects import Manifest
from conecta_operator.api.settings import Platform
from conecta_operator.plan import naming, reads
from conecta_operator.plan.credentials import secrets_of
from conecta_operator.plan.plans import AllowKeys, DeleteObject, DenyKeys, PutKey, RemoveKey, Step
from conecta_operator.plan.verdict import Answer, verdict
from conecta_operator.plan.world import GrantWorld

__all__ = [
    "Denial",
    "Revocation",
    "admit",
    "client_ids_of",
    "deny",
    "deny_all",
    "last_token_expires",
    "revocation",
    "silenced",
]

_CLOCK_SKEW: Final = timedelta(seconds=60)
"""How long beyond its end Envoy still takes a token (jwt_authn, `clock_skew_seconds`)."""
_REACHES_EVERY_CALL: Final = timedelta(seconds=2)
"""The gateway says that it accepts a policy a little before its last proxy knows it; 35 ms were seen. Times are in
whole seconds, so that this is one second at least."""
_LONGEST_DOUBT: Final = timedelta(seconds=30)
"""Clocks that differ, and policies that are written over and over, delay the end of a revocation by no more."""


@dataclass(frozen=True)
class Denial:
    """The next step towards tokens being refused, or let through again, and whether the gateway does so already."""

    steps: tuple[Step, ...]
    is_in_force: bool


@dataclass(frozen=True)
class Revocation:
    """The next steps, and whether nothing is left of the grant's access after them."""

    steps: tuple[Step, ...]
    is_complete: bool


def client_ids_of(world: GrantWorld) -> frozenset[str]:
    """All keys that the grant has, also those that were only reported.

    A client whose owner was edited away in the issuer is not among `world.keys`, and none is while the issuer is away.
    """
    grant = world.grant
    reported = (key.client_id for key in grant.status.keys if naming.key_number(grant, key.client_id))
    return frozenset({*reported, *(key.client_id for key in world.keys or ())})


def last_token_expires(platform: Platform, now: datetime) -> datetime:
    """When no token that was issued until now is good for anything any more."""
    return now + platform.token_lifetime + _CLOCK_SKEW


def silenced(world: GrantWorld) -> tuple[PutKey, ...]:
    """What makes the issuer refuse new tokens for all keys of the grant, which it keeps."""
    return tuple(PutKey(replace(key, suspended=True), None) for key in world.keys or () if not key.suspended)


def deny_all(world: GrantWorld) -> Denial:
    """What makes the gateway refuse all tokens of the grant, those of keys that were replaced long ago among them."""
    ended = {entry.client_id for entry in world.grant.status.ended_keys if entry.until > world.now}
    return deny(world, client_ids_of(world) | ended)


def deny(world: GrantWorld, client_ids: Collection[str]) -> Denial:
    """What makes the gateway refuse all tokens of these keys. An API that is not there lets nobody in."""
    api = world.objects.get(reads.api_of_grant(world.grant))
    if api is None or world.api is None or not client_ids:
        return Denial((), is_in_force=True)
    listed = {entry.client_id for entry in world.api.status.revoked_keys if entry.until > world.now}
    missing = sorted(set(client_ids) - listed)
    if missing:
        fitting = missing[: max(0, MOST_REVOKED_KEYS - len(world.api.status.revoked_keys))]
        steps = (
            (DenyKeys(api, dict.fromkeys(fitting, last_token_expires(world.platform, world.now))),) if fitting else ()
        )
        return Denial(steps, is_in_force=False)
    policy = world.policy
    if policy is not None and not (
        set(client_ids) <= _denied_in(policy) and verdict([policy], world.platform).answer is Answer.ACCEPTED
    ):
        return Denial((), is_in_force=False)
    return Denial((), is_in_force=_taken_over(world, client_ids) + _REACHES_EVERY_CALL <= world.now)


def _taken_over(world: GrantWorld, client_ids: Collection[str]) -> datetime:
    """When the gateway said that it accepts the policy.

    Where nobody says so, it counts when the last of these keys came on the list, which tells how long each stays there.
    """
    revoked = world.api.status.revoked_keys if world.api is not None else ()
    last = max(entry.until for entry in revoked if entry.client_id in client_ids)
    denied = last - world.platform.token_lifetime - _CLOCK_SKEW
    writes = ((world.policy or {}).get("metadata") or {}).get("managedFields") or []
    answers = [datetime.fromisoformat(write["time"]) for write in writes if write.get("subresource") == "status"]
    return min(max(answers, default=denied), denied + _LONGEST_DOUBT)


def admit(world: GrantWorld, client_ids: Collection[str]) -> Denial:
    """What makes the gateway let tokens of these keys through again.

    Keys that it lets through already are not looked at anew with each change of the policy.
    """
    api = world.objects.get(reads.api_of_grant(world.grant))
    if api is None or world.api is None or world.policy is None:
        return Denial((), is_in_force=True)
    listed = frozenset(entry.client_id for entry in world.api.status.revoked_keys if entry.client_id in client_ids)
    if listed:
        return Denial((AllowKeys(api, listed),), is_in_force=False)
    if set(client_ids) & _denied_in(world.policy):
        return Denial((), is_in_force=False)
    is_awaited = _was_stopped(world) and verdict([world.policy], world.platform).answer is Answer.PENDING
    return Denial((), is_in_force=not is_awaited)


def _was_stopped(world: GrantWorld) -> bool:
    """Whether the grant has keys of which status doesn't say that they work."""
    stated = {condition.type: condition.status for condition in world.grant.status.conditions}
    return bool(world.grant.status.keys) and stated.get(ConditionType.CREDENTIALS_READY) is not ConditionStatus.TRUE


def revocation(world: GrantWorld) -> Revocation:
    """What takes the access of all of a grant's keys away for good."""
    denial = deny_all(world)
    if not denial.is_in_force or world.keys is None:
        return Revocation((*denial.steps, *silenced(world)), is_complete=False)
    removals = tuple(RemoveKey(client_id) for client_id in sorted(client_ids_of(world)))
    return Revocation((*removals, *(DeleteObject(secret) for secret in secrets_of(world))), is_complete=True)


def _denied_in(policy: Manifest) -> set[str]:
    rules = policy["spec"].get("authorization", {}).get("rules") or []
    return {
        value
        for rule in rules
        if rule["action"] == "Deny"
        for claim in rule.get("principal", {}).get("jwt", {}).get("claims") or []
        if claim["name"] == "client_id"
        for value in claim["values"]
    }
