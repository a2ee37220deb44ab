"""Taking a grant's access away: tokens are refused first, then no new ones are issued, then the Secret goes.

The order matters: a client that is deleted first would leave tokens that open the API until they expire.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from conecta_operator.api.objects import CONECTA_GRANT, Manifest
from conecta_operator.plan import naming, reads
from conecta_operator.plan.plans import DeleteObject, DenyKeys, RemoveKey, Step
from conecta_operator.plan.world import GrantWorld

__all__ = ["Revocation", "revocation"]

_CLOCK_SKEW: Final = timedelta(seconds=60)
"""How long beyond its end Envoy still takes a token (jwt_authn, `clock_skew_seconds`)."""


@dataclass(frozen=True)
class Revocation:
    """The next steps, and whether nothing is left of the grant's access after them."""

    steps: tuple[Step, ...]
    is_complete: bool


def revocation(world: GrantWorld) -> Revocation:
    """What takes the access of all of a grant's keys away."""
    client_ids = _client_ids(world)
    api = world.objects.get(reads.api_of_grant(world.grant))
    if api is not None and world.api is not None and client_ids:
        listed = {entry.client_id for entry in world.api.status.revoked_keys if entry.until > world.now}
        if not client_ids <= listed:
            until = world.now + world.platform.token_lifetime + _CLOCK_SKEW
            deny = DenyKeys(api, dict.fromkeys(sorted(client_ids - listed), until))
            return Revocation((deny,), is_complete=False)
        policy = world.objects.get(reads.policy_of_grant(world.grant))
        if policy is not None and not client_ids <= _denied_in(policy):
            return Revocation((), is_complete=False)
    removals = tuple(RemoveKey(client_id) for client_id in sorted(client_ids))
    return Revocation((*removals, *_secrets(world)), is_complete=True)


def _client_ids(world: GrantWorld) -> set[str]:
    """Also those that were reported: a client whose owner was edited away in the issuer is not among `world.keys`."""
    reported = {key.client_id for key in world.grant.status.keys if naming.key_number(world.grant, key.client_id)}
    return {key.client_id for key in world.keys} | reported


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
