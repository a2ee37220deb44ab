"""Taking access away: tokens are refused first, then no new ones are issued, then the Secret goes.

The order matters: a client that is deleted first would leave tokens that open the API until they expire.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from conecta_operator.api.objects import CONECTA_GRANT, Manifest
from conecta_operator.plan import naming, reads
from conecta_operator.plan.plans import AllowKeys, DeleteObject, DenyKeys, RemoveKey, Step
from conecta_operator.plan.verdict import Answer, verdict
from conecta_operator.plan.world import GrantWorld

__all__ = ["Denial", "Revocation", "admit", "client_ids_of", "deny", "revocation"]

_CLOCK_SKEW: Final = timedelta(seconds=60)
"""How long beyond its end Envoy still takes a token (jwt_authn, `clock_skew_seconds`)."""


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
    """All keys of the grant, also those that were only reported.

    A client whose owner was edited away in the issuer is not among `world.keys`, and none is while the issuer is away.
    """
    grant = world.grant
    reported = (key.client_id for key in grant.status.keys if naming.key_number(grant, key.client_id))
    return frozenset({*reported, *(key.client_id for key in world.keys or ())})


def deny(world: GrantWorld, client_ids: Collection[str]) -> Denial:
    """What makes the gateway refuse all tokens of these keys. An API that is not there lets nobody in."""
    api = world.objects.get(reads.api_of_grant(world.grant))
    if api is None or world.api is None or not client_ids:
        return Denial((), is_in_force=True)
    listed = {entry.client_id for entry in world.api.status.revoked_keys if entry.until > world.now}
    missing = sorted(set(client_ids) - listed)
    if missing:
        until = world.now + world.platform.token_lifetime + _CLOCK_SKEW
        return Denial((DenyKeys(api, dict.fromkeys(missing, until)),), is_in_force=False)
    policy = world.policy
    if policy is None:
        return Denial((), is_in_force=True)
    is_known = set(client_ids) <= _denied_in(policy)
    return Denial((), is_in_force=is_known and verdict([policy], world.platform).answer is Answer.ACCEPTED)


def admit(world: GrantWorld, client_ids: Collection[str]) -> Denial:
    """What makes the gateway let tokens of these keys through again."""
    api = world.objects.get(reads.api_of_grant(world.grant))
    if api is None or world.api is None or world.policy is None:
        return Denial((), is_in_force=True)
    listed = frozenset(entry.client_id for entry in world.api.status.revoked_keys if entry.client_id in client_ids)
    if listed:
        return Denial((AllowKeys(api, listed),), is_in_force=False)
    return Denial((), is_in_force=not set(client_ids) & _denied_in(world.policy))


def revocation(world: GrantWorld) -> Revocation:
    """What takes the access of all of a grant's keys away for good."""
    client_ids = client_ids_of(world)
    denial = deny(world, client_ids)
    if not denial.is_in_force or world.keys is None:
        return Revocation(denial.steps, is_complete=False)
    removals = tuple(RemoveKey(client_id) for client_id in sorted(client_ids))
    return Revocation((*removals, *_secrets(world)), is_complete=True)


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


def _secrets(world: GrantWorld) -> tuple[Step, ...]:
    found = (world.objects.get(key) for key in reads.secrets_of_grant(world.grant))
    return tuple(
        DeleteObject(secret)
        for secret in found
        if secret is not None and naming.is_ours(secret, CONECTA_GRANT, world.grant.metadata)
    )
